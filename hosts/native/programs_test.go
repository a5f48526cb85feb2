package native_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// certificate returns one for any of the names, and the pool that trusts it.
func certificate(t testing.TB, hosts ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "tcpkit test"},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	for _, h := range hosts {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(h))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// body returns n octets that are the same each time.
func body(n int) []byte {
	b := make([]byte, n)
	r := mrand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

// testHTTP serves HTTP, HTTPS and HTTP/2 on one end and fetches on the other.
func testHTTP(t *testing.T, client, server network, family int) {
	const size = 4 << 20
	content := body(size)
	sum := sha256.Sum256(content)
	mux := http.NewServeMux()
	mux.HandleFunc("/body", func(w http.ResponseWriter, r *http.Request) { w.Write(content) })
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		io.Copy(h, r.Body)
		fmt.Fprintf(w, "%x", h.Sum(nil))
	})
	cert, pool := certificate(t, server.address(family))
	for _, proto := range []string{"HTTP/1.1", "HTTP/1.1 TLS", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			l, err := server.listen("tcp", net.JoinHostPort(server.address(family), "0"))
			require.NoError(t, err)
			address := l.Addr().String()
			srv := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
			transport := &http.Transport{
				DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
					return client.dialContext(ctx, network, address)
				},
				TLSClientConfig: &tls.Config{RootCAs: pool},
			}
			url := "https://" + address
			serve := func() error { return srv.ServeTLS(l, "", "") }
			switch proto {
			case "HTTP/1.1":
				url = "http://" + address
				serve = func() error { return srv.Serve(l) }
			case "HTTP/1.1 TLS":
				srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){} // no HTTP/2
			case "HTTP/2.0":
				transport.ForceAttemptHTTP2 = true
			}
			served := make(chan error, 1)
			go func() { served <- serve() }()
			c := &http.Client{Transport: transport}

			var all sync.WaitGroup
			for range 4 {
				all.Add(1)
				go func() {
					defer all.Done()
					for range 2 {
						if !fetch(t, c, url, proto[:8], content, sum) {
							return
						}
					}
				}()
			}
			all.Wait()
			transport.CloseIdleConnections()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			require.NoError(t, srv.Shutdown(ctx))
			require.ErrorIs(t, <-served, http.ErrServerClosed)
		})
	}
}

// fetch gets the content and posts it back. It is called beside the test's own
// goroutine.
func fetch(t *testing.T, c *http.Client, url, proto string, content []byte, sum [32]byte) bool {
	res, err := c.Get(url + "/body")
	if err != nil {
		t.Error(err)
		return false
	}
	h := sha256.New()
	_, err = io.Copy(h, res.Body)
	res.Body.Close()
	if err != nil || [32]byte(h.Sum(nil)) != sum || res.Proto != proto {
		t.Errorf("get by %s: %v", res.Proto, err)
		return false
	}
	res, err = c.Post(url+"/sum", "application/octet-stream", &reader{content})
	if err != nil {
		t.Error(err)
		return false
	}
	got, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || string(got) != fmt.Sprintf("%x", sum) {
		t.Errorf("post: %v", err)
		return false
	}
	return true
}

// reader hides what it reads from, so that the client does not know the length.
type reader struct{ b []byte }

func (r *reader) Read(b []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.b)
	r.b = r.b[n:]
	return n, nil
}

func TestHTTPInMemory(t *testing.T) {
	a, b := pair(t)
	client := network{"a", a.Listen, a.DialContext, func(int) string { return "10.8.0.1" }}
	for _, family := range []int{4, 6} {
		server := network{"b", b.Listen, b.DialContext, func(family int) string {
			return bLocal[family/6].Addr().String()
		}}
		t.Run(fmt.Sprint("v", family), func(t *testing.T) { testHTTP(t, client, server, family) })
	}
}
