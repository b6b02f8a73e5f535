package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"time"

	"github.com/spillway/spillway/kit/errs"
)

// child is another process of a measurement: this same program under a hidden command. Both speak in lines: the child is told what to do
// as JSON, answers in JSON, and is told to go on in single words. It ends when there is nobody left to tell it anything.
type child struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
}

const (
	// maxLine is the longest line a child may answer.
	maxLine = 16 << 20
	// childTime is how long a child may take to end by itself.
	childTime = 15 * time.Second
)

func startChild(ctx context.Context, binary, name string, spec any, log io.Writer) (*child, error) {
	c := &child{name: name, cmd: exec.CommandContext(ctx, binary, "bench", name)}
	c.cmd.Stderr = log
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, errs.Wrap("bench", name, err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, errs.Wrap("bench", name, err)
	}
	c.out = bufio.NewScanner(out)
	c.out.Buffer(nil, maxLine)
	if err := c.cmd.Start(); err != nil {
		return nil, errs.Wrap("bench", name, err)
	}
	if err := json.NewEncoder(c.in).Encode(spec); err != nil {
		c.close()
		return nil, errs.Wrap("bench", name, err)
	}
	return c, nil
}

// read takes the child's next line.
func (c *child) read(v any) error {
	if !c.out.Scan() {
		return errs.New(errs.Internal, "bench", c.name, "the other process ended early: %v", c.out.Err())
	}
	return errs.Wrap("bench", c.name, json.Unmarshal(c.out.Bytes(), v))
}

func (c *child) say(word string) error {
	_, err := io.WriteString(c.in, word+"\n")
	return errs.Wrap("bench", c.name, err)
}

// close tells the child that there is nobody left, and waits.
func (c *child) close() {
	_ = c.in.Close()
	late := time.AfterFunc(childTime, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	_ = c.cmd.Wait() // what it failed at it has said
}

// heard is a child's side: what it was told to do, and how it is told to go on.
type heard struct{ lines *bufio.Reader }

func hear(in io.Reader, spec any) (heard, error) {
	h := heard{bufio.NewReader(in)}
	first, err := h.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(first, spec)
	}
	return h, errs.Wrap("bench", "spec", err)
}

func (h heard) word() error {
	_, err := h.lines.ReadString('\n')
	return errs.Wrap("bench", "", err)
}

// over makes nothing of an error that only says that nobody is left.
func (h heard) over(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// untilEnd waits until nobody is left to tell anything.
func (h heard) untilEnd(ctx context.Context) error {
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, h.lines)
		close(gone)
	}()
	select {
	case <-gone:
	case <-ctx.Done():
	}
	return nil
}
