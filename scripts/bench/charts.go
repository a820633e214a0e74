package main

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const pageHead = `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zeroutils: benchmarks</title>
<style>
:root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #59636e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --soft: #9198a1; } }
body { color: var(--text); background: var(--back); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2rem; }
h2 { grid-column: 1 / -1; margin: 1.5rem 0 0; }
figure { margin: 0; }
figcaption { font-size: .9rem; }
figcaption small { color: var(--soft); }
svg { width: 100%; height: auto; color: var(--text); }
svg text { fill: currentColor; }
</style>
<h1>zeroutils: benchmarks</h1>
`

// The colours of ours and of the others are readable on white and on black.
var (
	ourColour   = color.RGBA{0x1f, 0x8f, 0x5f, 0xff}
	otherColour = color.RGBA{0x8a, 0x93, 0x9c, 0xff}
	lineColours = []color.RGBA{{0xc4, 0x6b, 0x1a, 0xff}, {0x7a, 0x6f, 0xd0, 0xff}, {0x8a, 0x93, 0x9c, 0xff}}
)

// html is docs/benchmarks.html: one file that needs no other.
func (f figures) html() (string, error) {
	var b strings.Builder
	b.WriteString(pageHead)
	fmt.Fprintf(&b, "<p>%s, %s, medians of %s rounds, %s of data. The lines on the bars reach from the first to the third quarter of the rounds. Ours are green. The <a href=\"benchmarks.md\">tables</a> have more.\n<main>\n",
		html.EscapeString(f.Machine), f.Date, f.rounds(), f.Size)
	for _, g := range groups {
		cases := f.group(g.name)
		if len(cases) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<h2>%s</h2>\n", html.EscapeString(g.title))
		var err error
		if g.name == "growth" {
			err = growthCharts(&b, cases)
		} else {
			err = barCharts(&b, cases)
		}
		if err != nil {
			return "", err
		}
	}
	if err := f.classicChart(&b); err != nil {
		return "", err
	}
	if err := f.serverCharts(&b); err != nil {
		return "", err
	}
	b.WriteString("</main>\n</html>\n")
	return b.String(), nil
}

// A bar is a value with the range in which half of the rounds lie.
type bar struct {
	label            string
	value, low, high float64
	ours             bool
}

// bars of a case are rates in GB/s, times in milliseconds or sizes in MiB.
func (c caseFigures) bars() (bars []bar, unit string) {
	scale := func(v int64) float64 { return float64(v) / 1e6 }
	unit = "milliseconds: less is better"
	switch {
	case c.isRate():
		scale, unit = func(v int64) float64 { return float64(c.Bytes) / float64(v) }, "GB/s: more is better"
	case c.Shows == "memory":
		scale, unit = func(v int64) float64 { return float64(v) / 1024 }, "MiB: less is better"
	}
	for _, f := range c.Contenders {
		v := c.value(f)
		if v == 0 {
			continue
		}
		one := bar{label: f.Label, value: scale(v), ours: f.Ours}
		one.low, one.high = one.value, one.value
		if n := len(f.Wall); n > 2 && c.Shows != "memory" {
			low, high := scale(f.Wall[n/4]), scale(f.Wall[n-1-n/4])
			one.low, one.high = min(low, high), max(low, high)
		}
		if slices.ContainsFunc(bars, func(b bar) bool { return b.label == one.label }) {
			_, arguments, _ := strings.Cut(f.Command, " ")
			one.label += " " + strings.Fields(arguments)[0]
		}
		bars = append(bars, one)
	}
	return bars, unit
}

func barCharts(b *strings.Builder, cases []caseFigures) error {
	for _, c := range cases {
		bars, unit := c.bars()
		if err := barChart(b, c.Name, c.Contenders[0].Command, unit, bars); err != nil {
			return err
		}
	}
	return nil
}

const chartWidth = 340 // points

// barChart draws a bar for each contender, from the top.
func barChart(b *strings.Builder, name, note, unit string, bars []bar) error {
	if len(bars) == 0 {
		return nil
	}
	slices.Reverse(bars)
	p := newPlot(unit)
	var labels []string
	ours, others := make(plotter.Values, len(bars)), make(plotter.Values, len(bars))
	ranges := spreads{make(plotter.XYs, len(bars)), make(plotter.XErrors, len(bars))}
	for i, one := range bars {
		labels = append(labels, one.label)
		if one.ours {
			ours[i] = one.value
		} else {
			others[i] = one.value
		}
		ranges.XYs[i] = plotter.XY{X: one.value, Y: float64(i)}
		ranges.XErrors[i].Low, ranges.XErrors[i].High = one.low-one.value, one.high-one.value
	}
	for _, set := range []struct {
		values plotter.Values
		colour color.RGBA
	}{{others, otherColour}, {ours, ourColour}} {
		chart, err := plotter.NewBarChart(set.values, 12)
		if err != nil {
			return err
		}
		chart.Horizontal, chart.Color, chart.LineStyle.Width = true, set.colour, 0
		p.Add(chart)
	}
	spread, err := plotter.NewXErrorBars(ranges)
	if err != nil {
		return err
	}
	p.Add(spread)
	p.NominalY(labels...)
	p.X.Min = 0
	return figure(b, p, name, note, vg.Length(44+18*len(bars)))
}

type spreads struct {
	plotter.XYs
	plotter.XErrors
}

// growthCharts draws the rate over the size, both logarithmic, a line for each
// contender.
func growthCharts(b *strings.Builder, cases []caseFigures) error {
	byName := map[string][]caseFigures{}
	var names []string
	for _, c := range cases {
		name := c.Name[:strings.LastIndexByte(c.Name, '/')]
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], c)
	}
	for _, name := range names {
		p := newPlot("bytes")
		p.Y.Label.Text = "MB/s: more is better"
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = sizeTicks{}, powersOfTen{}
		others := 0
		for i, who := range byName[name][0].Contenders {
			var points plotter.XYs
			for _, c := range byName[name] {
				if i < len(c.Contenders) && c.value(c.Contenders[i]) > 0 {
					points = append(points, plotter.XY{X: float64(c.Bytes), Y: 1e3 * float64(c.Bytes) / float64(c.value(c.Contenders[i]))})
				}
			}
			if len(points) == 0 {
				continue
			}
			line, dots, err := plotter.NewLinePoints(points)
			if err != nil {
				return err
			}
			line.Color = lineColours[others%len(lineColours)]
			if who.Ours {
				line.Color = ourColour
			} else {
				line.Dashes = []vg.Length{vg.Length(2 + 3*others), 2}
				others++
			}
			line.Width = 1.5
			dots.Color = line.Color
			p.Add(line, dots)
			p.Legend.Add(who.Label, line, dots)
		}
		p.Legend.Top, p.Legend.Left = true, true
		p.Legend.TextStyle.Font.Size = 9
		if err := figure(b, p, name, "", 230); err != nil {
			return err
		}
	}
	return nil
}

// sizeTicks are powers of 16 from 4 KiB.
type sizeTicks struct{}

func (sizeTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	for n := int64(4 << 10); float64(n) <= high*1.01; n *= growth {
		if float64(n) >= low*0.99 {
			ticks = append(ticks, plot.Tick{Value: float64(n), Label: sizeText(n)})
		}
	}
	return ticks
}

type powersOfTen struct{}

func (powersOfTen) Ticks(low, high float64) (ticks []plot.Tick) {
	for _, t := range (plot.LogTicks{}).Ticks(low, high) {
		if t.Label != "" {
			t.Label = fmt.Sprint(t.Value)
		}
		ticks = append(ticks, t)
	}
	return ticks
}

func (f figures) classicChart(b *strings.Builder) error {
	if len(f.Classic) == 0 {
		return nil
	}
	b.WriteString("<h2>The classic experiment: two processes copy a file of 1.4 GiB</h2>\n")
	for _, who := range []struct {
		name  string
		times func(classicFigures) []int64
	}{{"sender", func(c classicFigures) []int64 { return c.Sender }}, {"receiver", func(c classicFigures) []int64 { return c.Receiver }}} {
		var bars []bar
		for _, c := range f.Classic {
			times := slices.Sorted(slices.Values(who.times(c)))
			if len(times) == 0 {
				continue
			}
			v := float64(mean(times)) / 1e6
			short, _, _ := strings.Cut(c.Way, ",")
			if c.Way == classicWays[3].name {
				short = "mmap, write"
			}
			bars = append(bars, bar{short, v, min(v, float64(times[0])/1e6), max(v, float64(times[len(times)-1])/1e6), strings.HasPrefix(c.Way, "zcat")})
		}
		if err := barChart(b, who.name, "mean of the runs, with the least and the most", "milliseconds: less is better", bars); err != nil {
			return err
		}
	}
	return nil
}

func (f figures) serverCharts(b *strings.Builder) error {
	if len(f.Servers) == 0 {
		return nil
	}
	b.WriteString("<h2>A server</h2>\n")
	for _, clients := range serverClients {
		var bars []bar
		for _, s := range f.Servers {
			if s.Clients == clients && s.Error == "" {
				bars = append(bars, bar{s.Label, s.perSecond(), s.perSecond(), s.perSecond(), s.Ours})
			}
		}
		if err := barChart(b, fmt.Sprintf("%d clients at a time", clients), "", "requests per second: more is better", bars); err != nil {
			return err
		}
	}
	return nil
}

func newPlot(unit string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the page's
	p.X.Label.Text = unit
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font.Size = 10
		axis.Tick.Label.Font.Size = 10
	}
	return p
}

// figure writes the chart, with its text and axes in the colour of the page.
func figure(b *strings.Builder, p *plot.Plot, name, note string, height font.Length) error {
	if math.IsInf(p.X.Max, 0) || p.X.Max <= p.X.Min {
		p.X.Max = p.X.Min + 1
	}
	canvas := vgsvg.New(chartWidth, height)
	p.Draw(draw.New(canvas))
	var svg strings.Builder
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	_, body, _ := strings.Cut(svg.String(), "<svg ")
	body = strings.NewReplacer("#000000", "currentColor", "#000", "currentColor").Replace(body)
	fmt.Fprintf(b, "<figure><figcaption>%s <small>%s</small></figcaption>\n<svg role=\"img\" aria-label=\"%s\" %s</figure>\n",
		html.EscapeString(name), html.EscapeString(note), html.EscapeString(name), body)
	return nil
}
