import { describe, expect, it } from 'vitest';
import type { Case, CaseDetails, PersonDetails } from '../../api/types.js';
import { timelineOf } from './timeline.js';

const at = (second: number) => `2026-11-23T13:05:${String(second).padStart(2, '0')}.000Z`;
const person = { createdAt: at(0), employments: [] } as unknown as PersonDetails;
const loss = { id: 'c1', kind: 'lost_device', openedAt: at(10), openedBy: 'Grace', closedAt: at(13) } as Case;
const confirmed = (second: number, toolName: string, attestedBy: string | null = null) => ({
  confirmedAt: at(second),
  attestedBy,
  toolName,
});

describe('a person’s timeline', () => {
  it('tells what was decided, what the tools showed and what people say, newest first, one line for each second', () => {
    const steps = [
      confirmed(12, 'Chat'),
      confirmed(12, 'Code'),
      confirmed(12, 'Badges', 'Grace'),
      { confirmedAt: null, attestedBy: null, toolName: 'Payroll' },
    ];
    const inFull = [{ id: 'c1', kind: 'lost_device', steps }] as unknown as CaseDetails[];
    expect(timelineOf(person, [loss], inFull).map(({ words }) => words)).toEqual([
      'Lost laptop: closed',
      'Lost laptop: 2 steps confirmed by Chat, Code',
      'Lost laptop: 1 step done at Badges, as Grace says',
      'Lost laptop: opened by Grace',
      'Known here',
    ]);
  });
});
