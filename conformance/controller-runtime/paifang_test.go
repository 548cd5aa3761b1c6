// Package conformance has what clients of Kubernetes in Go ask of `paifang up`: client-go with protobuf and JSON, informers, and controllers
// written with controller-runtime. `cargo xtask test --go` runs it; PAIFANG_BIN names the binary.
package conformance

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// How long anything may take. Nothing takes nearly as long on a machine that does something.
const patience = 2 * time.Minute

// paifang is a running `paifang up` with a folder and an address of its own.
type paifang struct {
	t       *testing.T
	dir     string
	address string
	pool    string
	child   *exec.Cmd
}

func start(t *testing.T) *paifang {
	t.Helper()
	if os.Getenv("PAIFANG_BIN") == "" {
		t.Fatal("PAIFANG_BIN must name the program under test: `cargo xtask test --go` sets it")
	}
	// The port is kept, so that a client finds it again after a restart.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	port := listener.Addr().(*net.TCPAddr).Port
	p := &paifang{t: t, dir: t.TempDir(), address: address, pool: fmt.Sprintf("127.%d.%d.%d/28", 64+port%64, port/256, port%16*16)}
	p.start()
	t.Cleanup(p.kill)
	return p
}

func (p *paifang) start() {
	p.t.Helper()
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(p.t, err)
	defer log.Close()
	p.child = exec.Command(os.Getenv("PAIFANG_BIN"), "up", "--data-dir", filepath.Join(p.dir, "data"), "--api-address", p.address,
		"--admin-address", "127.0.0.1:0", "--pool", p.pool, "--port-offset", "20000")
	p.child.Stdout, p.child.Stderr = log, log
	must(p.t, p.child.Start())
	eventually(p.t, "it serves", func() error {
		config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(p.dir, "data", "kubeconfig"))
		if err != nil {
			return err
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		_, err = client.Discovery().ServerVersion()
		return err
	})
}

// kill ends it as a power cut would.
func (p *paifang) kill() {
	if p.child == nil {
		return
	}
	_ = p.child.Process.Kill()
	_ = p.child.Wait()
	p.child = nil
	if p.t.Failed() {
		log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		p.t.Logf("--- it said ---\n%s", log)
	}
}

func (p *paifang) config() *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(p.dir, "data", "kubeconfig"))
	must(p.t, err)
	config.QPS, config.Burst = 1000, 1000
	return config
}

func (p *paifang) client() *kubernetes.Clientset {
	return clientFor(p.t, p.config())
}

func clientFor(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	return client
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually repeats it until it succeeds.
func eventually(t *testing.T, what string, it func() error) {
	t.Helper()
	deadline, err := time.Now().Add(patience), error(nil)
	for time.Now().Before(deadline) {
		if err = it(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s: %v", what, err)
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Fatalf("%q is not in %q", part, text)
		}
	}
}
