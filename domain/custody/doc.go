// Package custody is the record of who had a parcel in hand, kept so that nobody can change it unseen, the operator included.
//
// Every event becomes a leaf: a few lines of text that are the same bytes wherever they are made. Leaves are the records of a transparency log
// as the Go checksum database keeps one (golang.org/x/mod/sumdb/tlog, RFC 6962 hashes), and its head is a signed checkpoint
// (sumdb/note, the C2SP checkpoint format). A proof file holds leaves, their inclusion proofs and a checkpoint, and is checked with nothing
// but the log's public key.
//
// Promised: the same event gives the same leaf, and every leaf reads back as its event. A leaf holds no free text: ids, words of closed lists, a
// time, hashes of documents. Who did something is a role, never a name. Personal data has no place to be in.
//
// It never imports a store, a clock or anything that does I/O: keys, hashes kept and times are handed in.
package custody
