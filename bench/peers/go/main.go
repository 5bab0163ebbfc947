// SPDX-License-Identifier: MIT

// The benchmarks of micro.c in Go: main NAME [N] prints `NAME: VALUE UNIT`.
//
// Goroutines run on one processor, as the tasks of one Eddy loop do, unless
// GOMAXPROCS says otherwise; for most of these that is also Go's best setting.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	atLeast = 300 * time.Millisecond // a run takes
	runs    = 5                      // of which the median counts
)

// A run does about count operations; it returns how many, and their time.
type run func(count int) (int, time.Duration)

// A benchmark sets itself up for n tasks, children or timers.
type benchmark struct {
	n     int // where none is given
	setUp func(n int) run
}

func expect(done, wanted int) {
	if done != wanted {
		fmt.Fprintf(os.Stderr, "main: %d done, %d expected\n", done, wanted)
		os.Exit(1)
	}
}

func sumBelow(count int) int { return count * (count - 1) / 2 }

func yield(n int) run {
	return func(count int) (int, time.Duration) {
		rounds := count/n + 1
		done := 0
		var group sync.WaitGroup
		group.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				for j := 0; j < rounds; j++ {
					runtime.Gosched()
				}
				done += rounds
				group.Done()
			}()
		}
		start := time.Now()
		group.Wait()
		elapsed := time.Since(start)
		if runtime.GOMAXPROCS(0) == 1 {
			expect(done, rounds*n)
		}
		return rounds * n, elapsed
	}
}

func spawn(int) run {
	return func(count int) (int, time.Duration) {
		done := 0
		var group sync.WaitGroup
		start := time.Now()
		for i := 0; i < count; i++ {
			group.Add(1)
			go func() {
				done++
				group.Done()
			}()
			group.Wait()
		}
		elapsed := time.Since(start)
		expect(done, count)
		return count, elapsed
	}
}

func handoff(int) run {
	return func(count int) (int, time.Duration) {
		queue := make(chan int, 1)
		go func() {
			for i := 0; i < count; i++ {
				queue <- i
			}
		}()
		sum := 0
		start := time.Now()
		for i := 0; i < count; i++ {
			sum += <-queue
		}
		elapsed := time.Since(start)
		expect(sum, sumBelow(count))
		return count, elapsed
	}
}

func queue(int) run {
	return func(count int) (int, time.Duration) {
		queue := make(chan int, 64)
		for i := 0; i < 8; i++ {
			queue <- 0
		}
		sum := 0
		start := time.Now()
		for i := 0; i < count; i++ {
			queue <- i
			sum += <-queue
		}
		elapsed := time.Since(start)
		for i := 0; i < 8; i++ {
			sum += <-queue
		}
		expect(sum, sumBelow(count))
		return count, elapsed
	}
}

func lock(int) run {
	return func(count int) (int, time.Duration) {
		var mutex sync.Mutex
		done := 0
		start := time.Now()
		for i := 0; i < count; i++ {
			mutex.Lock()
			done++
			mutex.Unlock()
		}
		elapsed := time.Since(start)
		expect(done, count)
		return count, elapsed
	}
}

func randomDelay() time.Duration {
	return 100*time.Second + time.Duration(rand.Int63n(int64(1000*time.Second)))
}

func timers(n int) run {
	neverDue := func() { expect(1, 0) }
	for i := 0; i < n; i++ {
		time.AfterFunc(randomDelay(), neverDue)
	}
	delays := make([]time.Duration, 4096)
	for i := range delays {
		delays[i] = randomDelay()
	}
	return func(count int) (int, time.Duration) {
		done := 0
		start := time.Now()
		for i := 0; i < count; i++ {
			if time.AfterFunc(delays[i%len(delays)], neverDue).Stop() {
				done++
			}
			if i%1000 == 999 {
				runtime.Gosched()
			}
		}
		elapsed := time.Since(start)
		expect(done, count)
		return count, elapsed
	}
}

func gather(n int) run {
	results := make([]int, n)
	return func(count int) (int, time.Duration) {
		rounds := count/n + 1
		sum := 0
		start := time.Now()
		for i := 0; i < rounds; i++ {
			var group sync.WaitGroup
			group.Add(n)
			for j := range results {
				go func(j int) {
					results[j] = i + j
					group.Done()
				}(j)
			}
			group.Wait()
			for _, result := range results {
				sum += result - i
			}
		}
		elapsed := time.Since(start)
		expect(sum, rounds*sumBelow(n))
		return rounds * n, elapsed
	}
}

// A goroutine that sends on an unbuffered channel: this Go has no iterators.
func generator(int) run {
	return func(count int) (int, time.Duration) {
		start := time.Now()
		values := make(chan int)
		go func() {
			for i := 0; i < count; i++ {
				values <- i
			}
			close(values)
		}()
		sum := 0
		for value := range values {
			sum += value
		}
		elapsed := time.Since(start)
		expect(sum, sumBelow(count))
		return count, elapsed
	}
}

// A goroutine that has a thread for itself, asked and answering over channels.
func thread(int) run {
	calls, returns := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for call := range calls {
			returns <- call
		}
	}()
	return func(count int) (int, time.Duration) {
		sum := 0
		start := time.Now()
		for i := 0; i < count; i++ {
			calls <- i
			sum += <-returns
		}
		elapsed := time.Since(start)
		expect(sum, sumBelow(count))
		return count, elapsed
	}
}

// Bytes that the process occupies, with its page tables.
func occupied() int {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer status.Close()
	total := 0
	for lines := bufio.NewScanner(status); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if fields[0] == "VmRSS:" || fields[0] == "VmPTE:" {
			kilobytes, _ := strconv.Atoi(fields[1])
			total += 1024 * kilobytes
		}
	}
	return total
}

// Goroutines that sleep until they are told to end, which time.Sleep could not.
func sleepers(n int) {
	var asleep, ended sync.WaitGroup
	asleep.Add(n)
	ended.Add(n)
	end := make(chan struct{})
	before := occupied()
	start := time.Now()
	for i := 0; i < n; i++ {
		go func() {
			timer := time.NewTimer(1e6 * time.Second)
			asleep.Done()
			select {
			case <-timer.C:
				expect(1, 0)
			case <-end:
				timer.Stop()
			}
			ended.Done()
		}()
	}
	asleep.Wait()
	runtime.Gosched()
	started := time.Now()
	after := occupied()
	middle := time.Now()
	close(end)
	ended.Wait()
	fmt.Printf("sleepers: %d bytes\n", (after-before)/n)
	fmt.Printf("sleepers-start: %.3f s\n", started.Sub(start).Seconds())
	fmt.Printf("sleepers-end: %.3f s\n", time.Since(middle).Seconds())
}

var benchmarks = map[string]benchmark{
	"yield":     {2, yield},
	"spawn":     {1, spawn},
	"handoff":   {1, handoff},
	"queue":     {1, queue},
	"lock":      {1, lock},
	"timers":    {1000, timers},
	"gather":    {10, gather},
	"generator": {1, generator},
	"thread":    {1, thread},
}

// Nanoseconds an operation: the median of runs that are long enough.
func median(run run) float64 {
	count, elapsed := run(100)
	for elapsed < atLeast {
		factor := 1.2 * float64(atLeast) / float64(elapsed+1)
		if factor > 100 {
			factor = 100
		} else if factor < 1.5 {
			factor = 1.5
		}
		count, elapsed = run(int(factor*float64(count)) + 1)
	}
	ns := make([]float64, runs)
	for i := range ns {
		done, elapsed := run(count)
		ns[i] = float64(elapsed.Nanoseconds()) / float64(done)
	}
	sort.Float64s(ns)
	return ns[runs/2]
}

func main() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	name, n := "", 0
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	if bench, ok := benchmarks[name]; ok {
		if n <= 0 {
			n = bench.n
		}
		fmt.Printf("%s: %.2f ns\n", name, median(bench.setUp(n)))
	} else if name == "sleepers" {
		if n <= 0 {
			n = 100000
		}
		sleepers(n)
	} else {
		fmt.Fprintln(os.Stderr, "usage: main NAME [N]")
		for name := range benchmarks {
			fmt.Fprintln(os.Stderr, " ", name)
		}
		fmt.Fprintln(os.Stderr, "  sleepers")
		os.Exit(2)
	}
}
