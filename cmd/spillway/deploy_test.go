package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats-server/v2/server"
)

const deploy = "../../deploy/"

// known are the flags of a command and the environment variables of all.
func known(t *testing.T, command string) (flags, envs []string) {
	t.Helper()
	k, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range k.Model.Leaves(false) {
		for _, group := range n.AllFlags(false) {
			for _, f := range group {
				envs = append(envs, f.Envs...)
				if n.Name == command {
					flags = append(flags, "--"+f.Name)
				}
			}
		}
	}
	if len(flags) == 0 {
		t.Fatalf("no command %s", command)
	}
	return flags, envs
}

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(deploy + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every SPILLWAY_ variable and every flag in the files exists in the command line.
func TestDeploymentUsesFlagsThatExist(t *testing.T) {
	serve, envs := known(t, "serve")
	variable, flag := regexp.MustCompile(`\bSPILLWAY_[A-Z_]+`), regexp.MustCompile(`--[a-z][a-z-]+`)
	found := 0
	for _, name := range []string{"compose.yaml", "Dockerfile", "spillway.service", "spillway@.service"} {
		for line := range strings.Lines(readDeploy(t, name)) {
			for _, v := range variable.FindAllString(line, -1) {
				if found++; !slices.Contains(envs, v) {
					t.Errorf("%s sets %s, which no command reads", name, v)
				}
			}
			if !strings.HasPrefix(line, "ExecStart=") {
				continue
			}
			for _, f := range flag.FindAllString(line, -1) {
				if found++; !slices.Contains(serve, f) {
					t.Errorf("%s passes %s, which serve does not know", name, f)
				}
			}
		}
	}
	if found < 15 {
		t.Fatalf("only %d flags and variables found", found)
	}
}

// composition is what the test looks at in compose.yaml.
type composition struct {
	Services map[string]struct {
		Image       string
		Profiles    []string
		Command     []string
		Restart     string
		Environment map[string]string
		Volumes     []string
		Secrets     []string
		Healthcheck struct{ Test []string }
	}
	Volumes map[string]any
	Secrets map[string]struct{ File string }
}

func TestComposeFile(t *testing.T) {
	const program = `import sys, json, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)`
	out, err := exec.Command("python3", "-c", program, deploy+"compose.yaml").Output()
	if err != nil {
		t.Logf("SKIPPED: nothing here reads YAML (python3 with PyYAML): compose.yaml is checked by its flags only: %v", err)
		t.Skip("no YAML reader")
	}
	var c composition
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatal(err)
	}
	health, _ := known(t, "health")
	ours, nodes := 0, 0
	for name, s := range c.Services {
		if s.Restart == "" || len(s.Profiles) != 1 {
			t.Errorf("%s has no restart policy or no home", name)
		}
		if s.Image == "spillway" {
			if ours++; len(s.Healthcheck.Test) < 4 || s.Healthcheck.Test[2] != "health" || !slices.Contains(health, s.Healthcheck.Test[3]) {
				t.Errorf("%s asks its health by %v", name, s.Healthcheck.Test)
			}
		}
		if strings.HasPrefix(s.Image, "nats:") {
			nodes++
		}
		for _, v := range s.Volumes {
			if from, _, _ := strings.Cut(v, ":"); !strings.HasPrefix(from, ".") {
				if _, ok := c.Volumes[from]; !ok {
					t.Errorf("%s mounts %s, which is not declared", name, from)
				}
			}
		}
		for _, v := range s.Secrets {
			if !strings.HasPrefix(c.Secrets[v].File, "./secrets/") {
				t.Errorf("%s uses the secret %s, which is not a file in secrets", name, v)
			}
		}
		for k, v := range s.Environment {
			if strings.Contains(k, "PASSWORD") && !strings.HasPrefix(v, "/run/secrets/") {
				t.Errorf("%s has a password in the file: %s", name, k)
			}
		}
	}
	if ours != 4 || nodes != 3 {
		t.Errorf("%d Spillway processes and %d NATS nodes", ours, nodes)
	}
	o, err := kong.New(&cli{}, kong.Exit(func(int) { t.Error("the command line ended the program") }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Parse(append([]string{}, c.Services["spillway1"].Healthcheck.Test[2:]...)); err != nil {
		t.Errorf("the health check's command: %v", err)
	}
}

// The server reads its configuration: synced writes, and users from the secret beside it.
func TestNATSConfiguration(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"etc/nats/nats.conf": readDeploy(t, "nats.conf"),
		"run/secrets/nats-users.conf": `authorization { users: [ { user: spillway, password: "x" } ] }`} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("NODE_NAME", "nats1")
	o, err := server.ProcessConfigFile(filepath.Join(dir, "etc/nats/nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !o.SyncAlways || !o.JetStream || o.ServerName != "nats1" || len(o.Routes) != 3 || len(o.Users) != 1 || o.Users[0].Username != "spillway" {
		t.Errorf("read: sync %v, streams %v, name %q, %d routes, %d users", o.SyncAlways, o.JetStream, o.ServerName, len(o.Routes), len(o.Users))
	}
}

func TestSystemdUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("SKIPPED: systemd-analyze is not installed; the units are checked by their flags only")
		t.Skip("no systemd-analyze")
	}
	dir := t.TempDir()
	var units []string
	for name, as := range map[string]string{"spillway.service": "spillway.service", "spillway@.service": "spillway@7070.service"} {
		// The program need not be installed where the unit is checked.
		text := strings.ReplaceAll(readDeploy(t, name), "/usr/local/bin/spillway", "/bin/true")
		path := filepath.Join(dir, as)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, path)
	}
	if out, err := exec.Command("systemd-analyze", append([]string{"verify"}, units...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
