//go:build linux

package chrome

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A Point is a place in the window, in pixels of CSS.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Below is the point so much below p.
func (p Point) Below(pixels float64) Point { return Point{p.X, p.Y + pixels} }

// Middle is the middle of the first thing that a CSS selector finds, which is brought
// into sight, once that stands still. What a pointer meets there must be part of that thing.
func (tab *Tab) Middle(selector string) Point {
	tab.t.Helper()
	found := Eval[struct {
		Point
		Met string `json:"met"`
	}](tab, fmt.Sprintf(`(async () => {
		const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
		await frame(); // the page may be about to scroll by itself
		const at = () => {
			const box = document.querySelector(%[1]q)?.getBoundingClientRect();
			return box && [box.left + box.width / 2, box.top + box.height / 2];
		};
		document.querySelector(%[1]q)?.scrollIntoView({block: 'center', inline: 'nearest'});
		let before;
		let now = at();
		for (let k = 0; k < 50 && now && String(now) !== String(before); k++) {
			await frame();
			before = now;
			now = at();
		}
		if (!now) return {met: 'nothing: there is none'};
		const [x, y] = now;
		const met = document.elementFromPoint(x, y);
		return {x, y, met: met?.closest(%[1]q) ? '' : met?.outerHTML.slice(0, 200) ?? 'nothing'};
	})()`, selector))
	require.Empty(tab.t, found.Met, "%s is behind something else", selector)
	return found.Point
}

func (tab *Tab) mouse(kind input.DispatchMouseEventType, at Point, options ...chromedp.MouseOption) {
	tab.t.Helper()
	tab.Do(chromedp.MouseEvent(kind, at.X, at.Y, options...))
}

func pressed(count int64) chromedp.MouseOption {
	return func(p *input.DispatchMouseEventParams) {
		p.Button, p.Buttons, p.ClickCount = input.MouseButtonLeft, 1, count
	}
}

// ClickAt clicks with the mouse, so many times: two is a double click.
func (tab *Tab) ClickAt(at Point, times int64) {
	tab.t.Helper()
	tab.mouse(chromedp.MouseMoved, at)
	for n := range times {
		tab.mouse(chromedp.MousePressed, at, pressed(n+1))
		tab.mouse(chromedp.MouseReleased, at, pressed(n+1))
	}
}

// MenuAt clicks with the other button of the mouse.
func (tab *Tab) MenuAt(at Point) {
	tab.t.Helper()
	tab.mouse(chromedp.MouseMoved, at)
	for _, kind := range []input.DispatchMouseEventType{chromedp.MousePressed, chromedp.MouseReleased} {
		tab.mouse(kind, at, func(p *input.DispatchMouseEventParams) {
			p.Button, p.Buttons, p.ClickCount = input.MouseButtonRight, 2, 1
		})
	}
}

// Drag moves the mouse from one point to another with its button down. While it is
// still down, before the end, it does what held says, if it is not nil.
func (tab *Tab) Drag(from, to Point, held func()) {
	tab.t.Helper()
	tab.mouse(chromedp.MouseMoved, from)
	tab.mouse(chromedp.MousePressed, from, pressed(1))
	for _, at := range between(from, to) {
		tab.mouse(chromedp.MouseMoved, at, pressed(0))
	}
	if held != nil {
		held()
	}
	tab.mouse(chromedp.MouseReleased, to, pressed(1))
}

// Swipe does with a finger what Drag does with the mouse.
func (tab *Tab) Swipe(from, to Point, held func()) {
	tab.t.Helper()
	tab.touch(input.DispatchTouchEventTypeTouchStart, from)
	for _, at := range between(from, to) {
		tab.touch(input.DispatchTouchEventTypeTouchMove, at)
	}
	if held != nil {
		held()
	}
	tab.touch(input.DispatchTouchEventTypeTouchEnd)
}

// Tap touches a point with a finger for a moment.
func (tab *Tab) Tap(at Point) {
	tab.t.Helper()
	tab.Do(chromedp.TapXY(at.X, at.Y))
}

func (tab *Tab) touch(kind input.DispatchTouchEventType, at ...Point) {
	tab.t.Helper()
	p := input.DispatchTouchEventParams{Type: kind, TouchPoints: []*input.TouchPoint{}}
	for _, point := range at {
		p.TouchPoints = append(p.TouchPoints, &input.TouchPoint{X: point.X, Y: point.Y})
	}
	tab.Do(func(ctx context.Context, _ *chromedp.Target) (v chromedp.Void, err error) {
		_, err = chromedp.Call(ctx, input.DispatchTouchEvent, p)
		return v, err
	})
}

// Fingers makes the window that of a telephone: what points is a finger.
func Fingers(width, height int64) Step {
	return chromedp.EmulateViewport(width, height, chromedp.EmulateMobile, chromedp.EmulateTouch)
}

// between are eight points on the way, the last of which is its end.
func between(from, to Point) []Point {
	const steps = 8
	way := make([]Point, steps)
	for n := range steps {
		part := float64(n+1) / steps
		way[n] = Point{from.X + part*(to.X-from.X), from.Y + part*(to.Y-from.Y)}
	}
	return way
}
