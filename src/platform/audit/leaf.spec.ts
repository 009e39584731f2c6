import { describe, expect, it } from 'vitest';
import { leafOf, leafText, type LeafRow } from './leaf.js';

const row: LeafRow = {
  id: '019abcde-0000-7000-8000-000000000000',
  at: '2026-11-23T12:00:00.000001Z',
  action: 'person.hired',
  actorKind: 'admin',
  actorId: 'admin:ada',
  subjectKind: 'person',
  subjectId: 'p1',
  caseId: null,
  stepId: null,
  facts: { b: 1, a: 'ü' },
  commitments: {},
  context: { via: 'rest', after: { status: 'active' } },
  leafVersion: null,
};

describe('a leaf', () => {
  it('of the version before is, to the byte, what it was: nothing that was sealed changes', () => {
    expect(leafText(leafOf(row))).toBe(
      '{"action":"person.hired","actor":{"id":"admin:ada","kind":"admin"},"at":"2026-11-23T12:00:00.000001Z","caseId":null,"commitments":{},"facts":{"a":"ü","b":1},"id":"019abcde-0000-7000-8000-000000000000","stepId":null,"subject":{"id":"p1","kind":"person"},"version":1}',
    );
  });

  it('of this version tells from where as well', () => {
    const leaf = leafText(leafOf({ ...row, leafVersion: 2 }));
    expect(leaf).toContain('"context":{"after":{"status":"active"},"via":"rest"}');
    expect(leaf).toContain('"version":2');
    expect(leafText(leafOf({ ...row, leafVersion: 2, context: null }))).toContain('"context":null');
  });
});
