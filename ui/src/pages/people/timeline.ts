import type { Case, CaseDetails, PersonDetails } from '../../api/types.js';
import { text } from '../../text/text.js';

export interface TimelineEntry {
  key: string;
  at: string;
  words: string;
}

type InFull = Pick<CaseDetails, 'id' | 'kind' | 'steps'>;

/** What happened to somebody's access, newest first: what was decided, and what the tools showed. */
export function timelineOf(
  person: Pick<PersonDetails, 'createdAt' | 'employments'>,
  cases: readonly Case[],
  inFull: readonly InFull[],
): TimelineEntry[] {
  const entries: TimelineEntry[] = [
    { key: 'known', at: person.createdAt, words: text.timeline.known },
    ...person.employments.flatMap(({ id, startAppliedAt, endAppliedAt, department }) => [
      ...(startAppliedAt ? [{ key: `${id}-start`, at: startAppliedAt, words: text.timeline.started(department) }] : []),
      ...(endAppliedAt ? [{ key: `${id}-end`, at: endAppliedAt, words: text.timeline.ended(department) }] : []),
    ]),
    ...cases.flatMap(({ id, kind, openedAt, openedBy, closedAt }) => [
      { key: `${id}-opened`, at: openedAt, words: text.timeline.opened(text.cases.kind[kind], openedBy) },
      ...(closedAt === null
        ? []
        : [{ key: `${id}-closed`, at: closedAt, words: text.timeline.closed(text.cases.kind[kind]) }]),
    ]),
    ...inFull.flatMap(({ id, kind, steps }) => confirmedTogether(id, text.cases.kind[kind], steps)),
  ];
  return entries.toSorted((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/** What tools showed within the same second is one line; so is what one person said that they did. */
function confirmedTogether(caseId: string, kind: string, steps: InFull['steps']): TimelineEntry[] {
  const together = new Map<string, { at: string; by: string | null; tools: Set<string>; count: number }>();
  for (const { confirmedAt, attestedBy: by, toolName } of steps) {
    if (confirmedAt === null) continue;
    const key = `${caseId}-${confirmedAt.slice(0, 19)}-${by ?? ''}`;
    const group = together.get(key) ?? { at: confirmedAt, by, tools: new Set<string>(), count: 0 };
    group.tools.add(toolName);
    group.count += 1;
    together.set(key, group);
  }
  return [...together].map(([key, { at, by, tools, count }]) => ({
    key,
    at,
    words:
      by === null
        ? text.timeline.confirmed(count, [...tools], kind)
        : text.timeline.attested(count, [...tools], by, kind),
  }));
}
