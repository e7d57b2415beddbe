// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Goroutines, channels, JSON, files, gzip, time, and a panic that is recovered.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"time"
)

type record struct {
	Name  string  `json:"name"`
	Sizes []int   `json:"sizes"`
	Next  *record `json:"next,omitempty"`
}

func sum() int {
	results := make(chan int)
	var group sync.WaitGroup
	for i := 1; i <= 100; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			results <- n * n
		}(i)
	}
	go func() { group.Wait(); close(results) }()
	total := 0
	for r := range results {
		total += r
	}
	return total
}

func recovered() (text string) {
	defer func() { text = fmt.Sprint("recovered: ", recover()) }()
	var none []int
	return fmt.Sprint(none[len(os.Args)+7])
}

func main() {
	fmt.Println(sum())
	fmt.Println(recovered())
	var r record
	if err := json.Unmarshal([]byte(`{"name":"a","sizes":[3,1,2],"next":{"name":"b"}}`), &r); err != nil {
		panic(err)
	}
	sort.Ints(r.Sizes)
	out, _ := json.Marshal(r)
	fmt.Println(string(out))
	data := bytes.Repeat([]byte("mayfly "), 1<<20)
	file, err := os.Create("/w/data.gz")
	if err != nil {
		panic(err)
	}
	zip := gzip.NewWriter(file)
	zip.Write(data)
	zip.Close()
	file.Close()
	file, _ = os.Open("/w/data.gz")
	unzip, err := gzip.NewReader(file)
	if err != nil {
		panic(err)
	}
	back, _ := io.ReadAll(unzip)
	fmt.Println(len(back), sha256.Sum256(back) == sha256.Sum256(data))
	started := time.Now()
	time.Sleep(20 * time.Millisecond)
	fmt.Println(time.Since(started) >= 20*time.Millisecond, os.Getenv("NAME"))
	entries, err := os.ReadDir("/w")
	fmt.Println(len(entries) > 0, err)
	_, err = os.ReadFile("/w/../../etc/passwd")
	fmt.Println(err != nil)
	os.Exit(7)
}
