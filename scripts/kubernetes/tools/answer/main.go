// Command answer is the smallest web server: it tells every caller its host's name, on port 8080 or
// on those that ANSWER_PORTS lists (4100,7700). With a URL as its argument it asks another one and
// prints what that says, which shows names and Services from within a pod.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		ask(os.Args[1])
		return
	}
	name, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(to http.ResponseWriter, _ *http.Request) { fmt.Fprintln(to, name) })
	ports := os.Getenv("ANSWER_PORTS")
	if ports == "" {
		ports = "8080"
	}
	ended := make(chan error)
	for _, port := range strings.Split(ports, ",") {
		go func() { ended <- http.ListenAndServe(":"+port, nil) }()
	}
	log.Fatal(<-ended)
}

func ask(url string) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Fatal(err)
	}
}
