// Command bucket is a store that speaks S3 and checks signatures (version 4), kept in memory: what
// the tests of backups send their snapshots to. `bucket NAME KEY SECRET` prints its URL, then serves.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: bucket NAME KEY SECRET")
	}
	backend := s3mem.New()
	if err := backend.CreateBucket(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
	server := gofakes3.New(backend, gofakes3.WithV4Auth(map[string]string{os.Args[2]: os.Args[3]}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("http://" + listener.Addr().String())
	log.Fatal(http.Serve(listener, server.Server()))
}
