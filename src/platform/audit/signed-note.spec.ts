import { describe, expect, it } from 'vitest';
import { checkpointText, openCheckpoint } from './checkpoint.js';
import { NoteSigner, NoteVerifier } from './signed-note.js';

/** The example of Go's golang.org/x/mod/sumdb/note: made by an implementation that isn't ours. */
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const signer = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const { verifier } = signer;

describe('a signed note', () => {
  it('that Go’s implementation signed is accepted, and refused when one letter of it differs', () => {
    const peter = NoteVerifier.parse(GO_KEY);
    expect(peter.toString()).toBe(GO_KEY);
    expect(peter.open(GO_NOTE)).toBe(GO_TEXT);
    expect(() => peter.open(GO_NOTE.replace('answer', 'Answer'))).toThrow('isn’t right');
  });

  it('of ours is read back; other signatures beside ours don’t matter', () => {
    const note = signer.sign('one\ntwo\n');
    expect(verifier.open(note)).toBe('one\ntwo\n');
    const witnessed = `${note}— witness.example AAAAAGFiYw==\n`;
    expect(NoteVerifier.parse(verifier.toString()).open(witnessed)).toBe('one\ntwo\n');
  });

  it.each([
    ['another key', new NoteSigner('acme.example/audit', Buffer.alloc(32, 8)).sign('one\n'), 'isn’t signed by'],
    ['another name', new NoteSigner('other.example', Buffer.alloc(32, 7)).sign('one\n'), 'isn’t signed by'],
    ['nobody', 'one\n', 'no signed note'],
    ['something unreadable', 'one\n\n- not a signature\n', 'can’t be read'],
  ])('by %s is refused', (_who, note, why) => {
    expect(() => verifier.open(note)).toThrow(why);
  });

  it.each([
    ['acme.example', 'no key of a log'],
    [verifier.toString().replace('acme', 'acne'), 'doesn’t fit its own hash'],
  ])('is not checked with the key %s', (key, why) => {
    expect(() => NoteVerifier.parse(key)).toThrow(why);
  });
});

describe('a checkpoint', () => {
  const root = Buffer.alloc(32, 3);

  it('names the log, its size and its root', () => {
    const note = signer.sign(checkpointText({ origin: verifier.name, size: 12, root }));
    expect(note.split('\n').slice(0, 4)).toEqual(['acme.example/audit', '12', root.toString('base64'), '']);
    expect(openCheckpoint(note, verifier)).toEqual({ origin: verifier.name, size: 12, root });
  });

  it.each([
    ['acme.example/audit\n-1\n', 'no checkpoint'],
    ['acme.example/audit\n12\nshort\n', 'no checkpoint'],
    [`other\n12\n${Buffer.alloc(32).toString('base64')}\n`, 'checkpoint of the log “other”'],
  ])('that says %j is refused', (text, why) => {
    expect(() => openCheckpoint(signer.sign(text), verifier)).toThrow(why);
  });
});
