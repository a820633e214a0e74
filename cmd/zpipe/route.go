package main

import (
	"fmt"

	"zeroutils/internal/splice"
	"zeroutils/internal/tool"
)

// findRoute finds out, for --stats, by which network device the bytes for a TCP
// sink leave: it decides whether the kernel copies what splice and sendfile
// give it by reference.
func (r *relay) findRoute() {
	if r.inv.Flags.String("stats") == "" {
		return
	}
	if route, ok := r.dst.Route(); ok {
		r.route = &route
	}
}

// copiesForDevice is how many bytes the kernel has copied for a device that
// takes packets in one piece only.
func (r *relay) copiesForDevice(report splice.Report) int64 {
	if r.route == nil || r.route.Gathers {
		return 0
	}
	return report.By[splice.Splice] + report.By[splice.Sendfile]
}

// routeStats is what the statistics say of it.
func (r *relay) routeStats() []tool.Extra {
	if r.route == nil {
		return nil
	}
	line := fmt.Sprintf("route: %s gathers, no copy is made for it", r.route.Interface)
	if !r.route.Gathers {
		line = fmt.Sprintf("route: %s does not gather, each byte is copied for it", r.route.Interface)
	}
	return []tool.Extra{{
		Key: "route",
		Value: struct {
			Interface string `json:"interface"`
			Gathers   bool   `json:"gathers"`
		}{r.route.Interface, r.route.Gathers},
		Lines: []string{line},
	}}
}
