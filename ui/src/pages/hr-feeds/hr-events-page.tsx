import type { ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { endlessHrEvents } from '../../api/queries.js';
import type { HrEvent } from '../../api/types.js';
import { Choice } from '../../parts/choice.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { MoreButton } from '../../parts/more-button.js';
import { PersonLink } from '../../parts/person-link.js';
import { Page } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
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
      <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Choice
          label={text.hrEvents.outcomeLabel}
          value={filters.outcome}
          values={HR_FILTERS.outcome}
          words={text.hrEvents.outcome}
          onChange={(outcome) => void navigate({ search: { outcome }, replace: true })}
        />
      </form>
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const events = pages.flatMap(({ items }) => items);
          if (events.length === 0) return <Empty>{text.hrEvents.none}</Empty>;
          return (
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">{text.hrEvents.event}</th>
                  <th scope="col">{text.hrEvents.about}</th>
                  <th scope="col">{text.hrEvents.received}</th>
                  <th scope="col">{text.hrEvents.outcomeLabel}</th>
                </tr>
              </thead>
              <tbody>
                {events.map((event) => (
                  <tr key={event.id} data-row tabIndex={-1}>
                    <th scope="row">
                      {event.type ?? text.hrEvents.unknownType}
                      <span className="dim small"> {event.source}</span>
                    </th>
                    <td data-label={text.hrEvents.about}>
                      {event.personId === null ? (event.employeeId ?? '') : <PersonLink id={event.personId} />}
                    </td>
                    <td data-label={text.hrEvents.received}>
                      <Instant at={event.receivedAt} />
                      {event.deliveries > 1 && <span className="dim small"> ×{event.deliveries}</span>}
                    </td>
                    <td data-label={text.hrEvents.outcomeLabel}>
                      <Mark {...LOOKS[event.outcome]} word={text.hrEvents.outcome[event.outcome]} />{' '}
                      {event.caseId !== null && (
                        <Link to="/cases/$caseId" params={{ caseId: event.caseId }}>
                          {text.hrEvents.openCase}
                        </Link>
                      )}
                      {event.effectiveAt !== null && event.outcome === 'scheduled' && (
                        <span className="dim">
                          {' '}
                          <Instant at={event.effectiveAt} />
                        </span>
                      )}
                      {event.reason !== null && <p className="small dim">{event.reason}</p>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loaded>
      <MoreButton query={query} />
    </Page>
  );
}
