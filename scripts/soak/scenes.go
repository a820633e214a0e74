package main

// asMv is the name of the scene that needs a tool called as mv.
const asMv = "trees that zmv moves"

// scenes are all that are played, each as often as the others.
var scenes = []scene{
	{"pipelines", pipeline},
	{"files put together", concatenation},
	{"outputs of ztee", fanOut},
	{"outputs of ztee, one of which goes away", fanOutToTheGone},
	{"connections", connection},
	{"clients of the server", client},
	{"commands of zpipe run", commands},
	{"displays of pv", display},
	{"streams that a signal ends", ended},
	{"streams that are stopped and go on", stopped},
	{"one output of several tools", sharedOutput},
	{"trees that are copied", copyTree},
	{"trees that are moved", moveTree},
	{asMv, mvTree},
	{"files that are replaced", replaceFile},
	{"copies that are killed and resumed", resumed},
	{"moves that are killed and resumed", resumedMove},
}
