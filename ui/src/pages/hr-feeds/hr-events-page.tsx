import type { ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessHrEvents } from '../../api/queries.js';
import type { HrEvent } from '../../api/types.js';
import { Choice } from '../../parts/choice.js';
import { Endless } from '../../parts/endless.js';
import { Filters } from '../../parts/filters.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { HR_FILTERS } from '../../search-params.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const route = getRouteApi('/hr-events');

const LOOKS = {
  applied: { shape: '●', tone: 'over' },
  duplicate: { shape: '○', tone: 'over' },
  outdated: { shape: '○', tone: 'over' },
  scheduled: { shape: '◔', tone: 'busy' },
  held: { shape: '▲', tone: 'bad' },
  unreadable: { shape: '▲', tone: 'bad' },
} as const satisfies Record<HrEvent['outcome'], { shape: string; tone: Tone }>;

/** What HR systems said, and the one thing that came of each. */
export function HrEventsPage(): ReactNode {
  const filters = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(endlessHrEvents(filters));
  return (
    <Page title={text.nav.hrEvents} sub={text.hrEvents.sub}>
      <Filters>
        <Choice
          label={text.hrEvents.outcomeLabel}
          value={filters.outcome}
          values={HR_FILTERS.outcome}
          words={text.hrEvents.outcome}
          onChange={(outcome) => void navigate({ search: { outcome }, replace: true })}
        />
      </Filters>
      <Endless query={query} none={text.hrEvents.none}>
        {(events) => (
          <Table
            rows={events}
            columns={[
              {
                name: text.hrEvents.event,
                cell: ({ type, source }) => (
                  <>
                    {type ?? text.hrEvents.unknownType}
                    <span className="dim small"> {source}</span>
                  </>
                ),
              },
              {
                name: text.hrEvents.about,
                cell: ({ personId, employeeId }) =>
                  personId === null ? (employeeId ?? '') : <PersonLink id={personId} />,
              },
              {
                name: text.hrEvents.received,
                cell: ({ receivedAt, deliveries }) => (
                  <>
                    <Instant at={receivedAt} />
                    {deliveries > 1 && <span className="dim small"> ×{deliveries}</span>}
                  </>
                ),
              },
              { name: text.hrEvents.outcomeLabel, cell: (event) => <Outcome event={event} /> },
            ]}
          />
        )}
      </Endless>
    </Page>
  );
}

function Outcome({ event: { outcome, caseId, effectiveAt, reason } }: { event: HrEvent }): ReactNode {
  return (
    <>
      <Mark {...LOOKS[outcome]} word={text.hrEvents.outcome[outcome]} />{' '}
      {caseId !== null && (
        <Link to="/cases/$caseId" params={{ caseId }}>
          {text.hrEvents.openCase}
        </Link>
      )}
      {effectiveAt !== null && outcome === 'scheduled' && (
        <span className="dim">
          {' '}
          <Instant at={effectiveAt} />
        </span>
      )}
      {reason !== null && <p className="small dim">{reason}</p>}
    </>
  );
}
