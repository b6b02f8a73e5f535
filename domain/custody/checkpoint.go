package custody

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/spillway/spillway/kit/errs"
)

// maxCheckpoint bounds a signed checkpoint: three lines and a few signatures.
const maxCheckpoint = 16 << 10

// Sign makes the signed checkpoint of a tree, in the C2SP checkpoint format. The signer's name is the log's origin.
func Sign(tree tlog.Tree, signer note.Signer) (string, error) {
	text := fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), tree.N, tree.Hash)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	return string(signed), errs.Wrap("custody.Sign", signer.Name(), err)
}

// OpenCheckpoint reads a checkpoint that the holder of a key signed. Key is a verifier key as package note writes it, whose name is the log's
// origin. Errors: Invalid (the key, or not a checkpoint), Conflict (signed by nobody with that key, or changed).
func OpenCheckpoint(signed, key string) (tlog.Tree, error) {
	const op = "custody.OpenCheckpoint"
	v, err := note.NewVerifier(key)
	if err != nil {
		return tlog.Tree{}, errs.New(errs.Invalid, op, "", "the key is not a key of a log; one looks like NAME+0123abcd+BASE64")
	}
	if len(signed) > maxCheckpoint {
		return tlog.Tree{}, errs.New(errs.Invalid, op, "", "the checkpoint is too long to be one")
	}
	if _, err := readCheckpoint(signed, ""); err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return tlog.Tree{}, errs.New(errs.Conflict, op, v.Name(), "the checkpoint is not signed with this key, or was changed after it was signed")
	}
	for _, sig := range n.Sigs {
		// A letter has bits to spare at the end: with them set the same signature could be written in several ways.
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return tlog.Tree{}, errs.New(errs.Conflict, op, v.Name(), "the signature of the checkpoint was changed")
		}
	}
	return readCheckpoint(n.Text, v.Name())
}

// OpenOwn is OpenCheckpoint for one that we wrote ourselves: of so many entries, and not a letter may be different. Errors: Conflict.
func OpenOwn(signed, key string, size int64) (tlog.Tree, error) {
	tree, err := OpenCheckpoint(signed, key)
	if err == nil && (tree.N != size || strings.Count(signed, "\n") != ownLines) {
		err = errs.New(errs.Conflict, "custody.OpenOwn", "", "the checkpoint of %d entries is not as it was written", size)
	}
	return tree, err
}

// ownLines of a checkpoint: origin, size, root, an empty one, our signature.
const ownLines = 5

// CheckKey verifies that a verifier key is written as it always is, and is the key of a log of this name. Errors: Conflict.
func CheckKey(origin, key string) error {
	failed := errs.New(errs.Conflict, "custody.CheckKey", origin, "the log's key was changed")
	v, err := note.NewVerifier(key)
	if err != nil || v.Name() != origin {
		return failed
	}
	_, rest, _ := strings.Cut(key, "+")
	_, text, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize {
		return failed
	}
	if again, err := note.NewEd25519VerifierKey(origin, raw[1:]); err != nil || again != key {
		return failed
	}
	return nil
}

// readCheckpoint reads the text of a checkpoint: origin, size, root. An empty origin is any.
func readCheckpoint(text, origin string) (tlog.Tree, error) {
	bad := errs.New(errs.Invalid, "custody.OpenCheckpoint", "", "this is not a checkpoint of a custody log")
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) != 4 || origin != "" && (lines[0] != origin || lines[3] != "") {
		return tlog.Tree{}, bad
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, bad
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return tlog.Tree{}, bad
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// Origin is the name of a log whose id is drawn when it is begun: no two logs share one. It is the name of its key too.
func Origin(id string) string { return "spillway-custody-" + Ref(id) }
