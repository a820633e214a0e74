package main

import (
	"fmt"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// findRoute finds out, for --stats, by which network device the bytes for a TCP
// sink leave: it decides whether the kernel copies what splice and sendfile
// give it by reference.
func (p *pair) findRoute() {
	if p.inv.Flags.String("stats") == "" {
		return
	}
	if r, ok := p.dst.Route(); ok {
		p.route = &r
	}
}

// copiesForDevice is how many bytes the kernel has copied for a device that
// takes packets in one piece only.
func (p *pair) copiesForDevice(r splice.Report) int64 {
	if p.route == nil || p.route.Gathers {
		return 0
	}
	return r.By[splice.Splice] + r.By[splice.Sendfile]
}

// routeStats is what the statistics say of it.
func (p *pair) routeStats() []tool.Extra {
	if p.route == nil {
		return nil
	}
	line := fmt.Sprintf("route: %s gathers, no copy is made for it", p.route.Interface)
	if !p.route.Gathers {
		line = fmt.Sprintf("route: %s does not gather, each byte is copied for it", p.route.Interface)
	}
	return []tool.Extra{{
		Key: "route",
		Value: struct {
			Interface string `json:"interface"`
			Gathers   bool   `json:"gathers"`
		}{p.route.Interface, p.route.Gathers},
		Lines: []string{line},
	}}
}
