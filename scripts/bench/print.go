package main

import (
	"fmt"
	"io"
)

func printServers(w io.Writer, all []serverFigures) {
	fmt.Fprintf(w, "\n%-20s  %7s  %12s  %12s  %15s  %14s\n", "server", "clients", "requests/s", "99 % within", "CPU for request", "memory of each")
	for _, f := range all {
		if f.Error != "" {
			fmt.Fprintf(w, "%-20s  %7d  %s\n", f.Label, f.Clients, f.Error)
			continue
		}
		fmt.Fprintf(w, "%-20s  %7d  %12.0f  %12s  %15s  %10d KiB\n", f.Label, f.Clients, f.perSecond(), inUnit(f.P99), inUnit(f.CPU), f.KiB)
	}
}

func (f serverFigures) perSecond() float64 { return requests / (float64(f.Wall) / 1e9) }

func printClassic(w io.Writer, all []classicFigures) {
	fmt.Fprintf(w, "\n%-55s  %8s  %8s  %8s  %8s\n", "two processes copy a file of 1.4 GiB", "sender", "receiver", "CPU", "switches")
	for _, f := range all {
		if f.Error != "" {
			fmt.Fprintf(w, "%-55s  %s\n", f.Way, f.Error)
			continue
		}
		fmt.Fprintf(w, "%-55s  %8s  %8s  %8s  %8d\n", f.Way, inUnit(mean(f.Sender)), inUnit(mean(f.Receiver)), inUnit(f.CPU), f.Switches)
	}
}

func mean(values []int64) (sum int64) {
	for _, v := range values {
		sum += v
	}
	return sum / int64(max(1, len(values)))
}
