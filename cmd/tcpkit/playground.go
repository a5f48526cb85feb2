package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/playground"
)

// playgroundPort is where the page is unless somebody else is there: RFC 9293.
const playgroundPort = 9293

const playgroundLong = `Serve the playground: the engine in a browser tab, with scenarios, on this machine's
loopback addresses only. Nothing is loaded from anywhere else. It stays until it is
interrupted.

The engine's module is part of a release. In a checkout it is built with the Go
toolchain, once; the page shows before that has ended.`

// A playgroundPlan is what its command line asks for.
type playgroundPlan struct {
	port   int
	open   bool
	module string
	export string
	build  string
}

func newPlayground(a *app) *cobra.Command {
	p := &playgroundPlan{}
	cmd := &cobra.Command{
		Use:   "playground",
		Short: "Serve the engine as a page for the browser, on loopback",
		Long:  playgroundLong,
		Example: `  tcpkit playground
  tcpkit playground --port 8080 --open
  tcpkit playground --export site/`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.port < 0 || p.port > 65535 {
				return usagef("bad --port %d: give 1 to 65535, or 0 for a free one", p.port)
			}
			set := cmd.Flags().Changed
			switch {
			case set("build") && set("export"):
				return usagef("--build and --export are two commands: give one of them")
			case set("export") && p.export == "":
				return usagef("bad --export: no folder given")
			case set("build"):
				return a.buildModule(p)
			case set("export"):
				return a.exportPlayground(p)
			}
			return a.servePlayground(p, set("port"))
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&p.port, "port", playgroundPort, "`PORT` to serve on; 0: a free one")
	f.BoolVar(&p.open, "open", false, "open it in the browser too")
	f.StringVar(&p.module, "module", "", "serve this `FILE` as the engine's module")
	f.StringVar(&p.export, "export", "", "write the page into a new `FOLDER`, for any web server, and end")
	f.StringVar(&p.build, "build", "", "write the engine's module to `FILE`, and end")
	return cmd
}

// engineModule is what gives the engine's module.
func (a *app) engineModule(p *playgroundPlan) playground.Module {
	if p.module != "" {
		return func(context.Context) ([]byte, error) { return readModule(p.module) }
	}
	return playground.Ready(func(checkout string) { a.log.Info("building the engine's module", "checkout", checkout) })
}

// mostModule is more than the engine's module may have.
const mostModule = 256 << 20

// readModule reads a module, and tells what is not one before a browser does.
func readModule(path string) ([]byte, error) {
	body, err := readWhole(path, "the engine's module", mostModule)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(body, []byte("\x00asm")) {
		return nil, fmt.Errorf("%s is not a WASM module; 'tcpkit playground --build FILE' writes the engine's", path)
	}
	return body, nil
}

func (a *app) buildModule(p *playgroundPlan) error {
	body, err := a.engineModule(p)(context.Background())
	if err != nil {
		return err
	}
	return writeWhole("--build", p.build, body)
}

func (a *app) exportPlayground(p *playgroundPlan) error {
	if err := playground.Export(p.export, a.engineModule(p)); err != nil {
		return err
	}
	a.log.Info("the page is written; serve the folder with any web server", "folder", p.export)
	return nil
}

func (a *app) servePlayground(p *playgroundPlan, chosen bool) error {
	if p.module != "" {
		if _, err := a.engineModule(p)(context.Background()); err != nil {
			return err
		}
	}
	files, err := playground.Files()
	if err != nil {
		return err
	}
	listeners, err := playground.Listen(p.port)
	if !chosen && errors.Is(err, syscall.EADDRINUSE) {
		listeners, err = playground.Listen(0)
	}
	if err != nil {
		return fmt.Errorf("serve the playground: %w; give another with --port, or 0 for a free one", err)
	}
	engine := a.engineModule(p)
	s := playground.NewServer(playground.Handler(files, engine))
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- s.Serve(l) }()
	}
	go func() { // the page asks for it soon, and hears of an error too
		if _, err := engine(context.Background()); err != nil {
			a.log.Error(err.Error())
		}
	}()
	stop := watchSignals(context.Background())
	defer stop.stop()
	url := "http://" + listeners[0].Addr().(*net.TCPAddr).String() + "/"
	if err := a.sayURL(url); err != nil {
		return err
	}
	if p.open {
		if err := openBrowser(url); err != nil {
			a.log.Warn("no browser could be opened: "+err.Error(), "url", url)
		}
	}
	select {
	case err = <-ended:
	case <-stop.soft.Done():
		err = context.Cause(stop.soft)
	}
	ctx, cancel := context.WithTimeout(stop.hard, time.Second)
	defer cancel()
	if s.Shutdown(ctx) != nil {
		_ = s.Close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (a *app) sayURL(url string) error {
	if a.json {
		return a.printJSON(struct {
			URL string `json:"url"`
		}{url})
	}
	if _, err := fmt.Fprintln(a.out, url); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	a.log.Info("open it in a browser; Ctrl-C ends it")
	return nil
}

func openBrowser(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	return exec.Command(name, args...).Start()
}
