import { describe, expect, it } from 'vitest';
import { changesIn } from './visible-changes.js';

const PERSON = '0198c0de-0000-7000-8000-000000000001';
const CASE = '0198c0de-0000-7000-8000-000000000002';

describe('what is told of audit entries', () => {
  it('is the thing and its case, each once', () => {
    const entry = { subjectKind: 'person', subjectId: PERSON, caseId: CASE };
    expect(changesIn([entry, entry, { ...entry, subjectKind: 'case', subjectId: CASE }])).toEqual([
      { kind: 'person', id: PERSON },
      { kind: 'case', id: CASE },
    ]);
  });

  it('is nothing of what has no page: sessions, tokens, keys', () => {
    expect(changesIn([{ subjectKind: 'browser-session', subjectId: PERSON, caseId: null }])).toEqual([]);
    expect(changesIn([{ subjectKind: 'toString', subjectId: PERSON, caseId: null }])).toEqual([]);
  });

  it('is never a name: only ids are passed on', () => {
    expect(changesIn([{ subjectKind: 'tool', subjectId: 'Payroll', caseId: null }])).toEqual([]);
  });
});
