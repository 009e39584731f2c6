import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useWatchedCases } from '../../api/live.js';
import { caseQuery, personQuery } from '../../api/queries.js';
import type { Case } from '../../api/types.js';
import { Mark, ProgressMarks } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { progressOf } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { duration } from '../../time/relative-time.js';

/** Of so many open cases the steps are shown as they move. */
const LIVE = 20;

export function CaseRows({ cases }: { cases: readonly Case[] }): ReactNode {
  const open = cases.filter(({ state }) => state === 'open').slice(0, LIVE);
  useWatchedCases(open.map(({ id }) => id));
  return (
    <ul className="rows">
      {cases.map((one) => (
        <li key={one.id}>
          <Link to="/cases/$caseId" params={{ caseId: one.id }} className="row-link" data-row>
            <span className="row-name">
              <PersonName id={one.personId} /> <span className="dim">· {text.cases.kind[one.kind]}</span>
            </span>
            <span className="row-detail">
              {open.includes(one) ? <LiveProgress caseId={one.id} /> : <Ended one={one} />}
            </span>
            <span className="dim">
              <Instant at={one.openedAt} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function PersonName({ id }: { id: string }): ReactNode {
  const mayRead = useMay()('people:read');
  const { data } = useQuery({ ...personQuery(id), enabled: mayRead });
  return data?.displayName ?? text.people.somebody;
}

function LiveProgress({ caseId }: { caseId: string }): ReactNode {
  const { data } = useQuery(caseQuery(caseId));
  if (!data) return text.cases.state.open;
  const { done, all, words } = progressOf(data.steps);
  return (
    <>
      <ProgressMarks steps={data.steps} words={words} />{' '}
      <span aria-hidden="true">
        {done}/{all}
      </span>
    </>
  );
}

function Ended({ one: { state, openedAt, closedAt } }: { one: Case }): ReactNode {
  if (closedAt === null) return <Mark shape="◑" tone="busy" word={text.cases.state[state]} />;
  return text.cases.closedAfter(duration(Date.parse(closedAt) - Date.parse(openedAt)));
}
