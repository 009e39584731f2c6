// A second pair of eyes on the audit log: what Quartermaster publishes is read by Go's own code for transparency logs
// (golang.org/x/mod/sumdb), which shares nothing with ours. It says "ok …" or what is wrong.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const usage = `log-verifier checkpoint KEY FILE
log-verifier cosigned KEY WITNESS-KEY FILE
log-verifier log KEY FOLDER
log-verifier proof KEY FILE ENTRY-FILE
log-verifier consistency KEY OLD-CHECKPOINT NEW-CHECKPOINT HASHES-FILE`

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok " + said)
}

func run(args []string) (string, error) {
	if len(args) < 3 {
		return "", fmt.Errorf(usage)
	}
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return "", err
	}
	switch {
	case args[0] == "checkpoint" && len(args) == 3:
		tree, err := readCheckpoint(verifier, args[2])
		return fmt.Sprintf("%d entries", tree.N), err
	case args[0] == "cosigned" && len(args) == 4:
		return checkCosigned(verifier, args[2], args[3])
	case args[0] == "log" && len(args) == 3:
		return checkLog(verifier, args[2])
	case args[0] == "proof" && len(args) == 4:
		return checkProof(verifier, args[2], args[3])
	case args[0] == "consistency" && len(args) == 5:
		return checkConsistency(verifier, args[2], args[3], args[4])
	}
	return "", fmt.Errorf(usage)
}

func readCheckpoint(verifier note.Verifier, file string) (tlog.Tree, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return tlog.Tree{}, err
	}
	return openCheckpoint(verifier, data)
}

func openCheckpoint(verifier note.Verifier, data []byte) (tlog.Tree, error) {
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// witnessVerifier checks the cosignatures of c2sp.org/tlog-cosignature, which Go's library doesn't know.
type witnessVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitnessVerifier(text string) (*witnessVerifier, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("no key of a witness")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 4 {
		return nil, fmt.Errorf("no key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(sum[:4])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, fmt.Errorf("the witness's key doesn't fit its hash")
	}
	return &witnessVerifier{parts[0], hash, key[1:]}, nil
}

func (w *witnessVerifier) Name() string    { return w.name }
func (w *witnessVerifier) KeyHash() uint32 { return w.hash }

func (w *witnessVerifier) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(w.key, []byte(signed), signature[8:])
}

// checkCosigned demands the log's signature and the witness's, and says when the witness saw the log.
func checkCosigned(verifier note.Verifier, witnessKey, file string) (string, error) {
	witness, err := newWitnessVerifier(witnessKey)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(verifier, data)
	if err != nil {
		return "", err
	}
	opened, err := note.Open(data, note.VerifierList(verifier, witness))
	if err != nil {
		return "", err
	}
	for _, signature := range opened.Sigs {
		if signature.Name == witness.name && signature.Hash == witness.hash {
			bytes, err := base64.StdEncoding.DecodeString(signature.Base64)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d entries at %d", tree.N, binary.BigEndian.Uint64(bytes[4:])), nil
		}
	}
	return "", fmt.Errorf("the witness hasn't cosigned it")
}

// built holds the hashes of a tree in the order in which Go stores them.
type built []tlog.Hash

func (b built) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(b)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[at] = b[index]
	}
	return hashes, nil
}

// checkLog builds the tree anew from the entries of a published log, and holds the checkpoint and every tile against it.
func checkLog(verifier note.Verifier, folder string) (string, error) {
	tree, err := readCheckpoint(verifier, filepath.Join(folder, "checkpoint"))
	if err != nil {
		return "", err
	}
	var hashes built
	for first := int64(0); first < tree.N; first += 256 {
		width := tree.N - first
		if width > 256 {
			width = 256
		}
		// Go's paths name the tiles' height; C2SP's don't, since it is always 8.
		path := strings.Replace(tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return "", err
		}
		for at := int64(0); at < width; at++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return "", fmt.Errorf("%s is too short", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			stored, err := tlog.StoredHashes(first+at, bundle[2:end], hashes)
			if err != nil {
				return "", err
			}
			hashes = append(hashes, stored...)
			bundle = bundle[end:]
		}
		if len(bundle) > 0 {
			return "", fmt.Errorf("%s is too long", path)
		}
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", fmt.Errorf("the entries aren't those that were sealed")
	}
	// Of the tiles that ever were, those that a log of this size has.
	widest := map[string]tlog.Tile{}
	for _, tile := range tlog.NewTiles(8, 0, tree.N) {
		widest[fmt.Sprint(tile.L, tile.N)] = tile
	}
	for _, tile := range widest {
		want, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return "", err
		}
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return "", err
		}
		if !bytes.Equal(data, want) {
			return "", fmt.Errorf("%s isn't the tree's", path)
		}
	}
	return fmt.Sprintf("%d entries", tree.N), nil
}

// checkProof holds an entry against a proof in the format of c2sp.org/tlog-proof.
func checkProof(verifier note.Verifier, proofFile, entryFile string) (string, error) {
	data, err := os.ReadFile(proofFile)
	if err != nil {
		return "", err
	}
	entry, err := os.ReadFile(entryFile)
	if err != nil {
		return "", err
	}
	cut := bytes.Index(data, []byte("\n\n"))
	if cut < 0 {
		return "", fmt.Errorf("no proof: the empty line is missing")
	}
	lines := strings.Split(string(data[:cut]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return "", fmt.Errorf("no proof: it begins with %q", lines[0])
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return "", fmt.Errorf("no proof: no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return "", err
	}
	proof, err := parseHashes(lines[1:])
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(verifier, data[cut+2:])
	if err != nil {
		return "", err
	}
	err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
	return fmt.Sprintf("entry %d of %d", index, tree.N), err
}

func checkConsistency(verifier note.Verifier, oldFile, newFile, hashesFile string) (string, error) {
	older, err := readCheckpoint(verifier, oldFile)
	if err != nil {
		return "", err
	}
	newer, err := readCheckpoint(verifier, newFile)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(hashesFile)
	if err != nil {
		return "", err
	}
	hashes, err := parseHashes(strings.Fields(string(data)))
	if err != nil {
		return "", err
	}
	err = tlog.CheckTree(hashes, newer.N, newer.Hash, older.N, older.Hash)
	return fmt.Sprintf("%d entries begin with %d", newer.N, older.N), err
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		data, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(data) != tlog.HashSize {
			return nil, fmt.Errorf("no hash: %q", line)
		}
		var hash tlog.Hash
		copy(hash[:], data)
		hashes = append(hashes, hash)
	}
	return hashes, nil
}
