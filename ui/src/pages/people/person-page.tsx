import type { ReactNode } from 'react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useWatchedCases } from '../../api/live.js';
import { accountsQuery, caseQuery, casesQuery, deviceQuery, devicesQuery, personQuery } from '../../api/queries.js';
import type { PersonDetails } from '../../api/types.js';
import { Empty, Loaded, LoadedPage } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { Mark, ProgressMarks } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { progressOf } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { clockIn, ClockTime, Instant } from '../../time/instant.js';
import { useNow } from '../../time/use-now.js';
import { encryptionLooks } from '../devices/encryption.js';
import { PersonAccess } from './person-access.js';
import { PersonActs } from './person-acts.js';
import { statusLooks } from './status-looks.js';
import { timelineOf } from './timeline.js';

const route = getRouteApi('/people/$personId');

export function PersonPage(): ReactNode {
  const { personId } = route.useParams();
  const query = useQuery(personQuery(personId));
  return (
    <LoadedPage key={personId} query={query} title={text.search.person}>
      {(person) => <ShownPerson person={person} />}
    </LoadedPage>
  );
}

function ShownPerson({ person }: { person: PersonDetails }): ReactNode {
  const may = useMay();
  const devices = useQuery({ ...devicesQuery({ holderId: person.id, limit: 50 }), enabled: may('devices:read') });
  return (
    <Page
      title={person.displayName}
      sub={<PersonSub person={person} />}
      acts={<PersonActs person={person} devices={devices.data?.items ?? []} />}
    >
      {may('accounts:read') && (
        <Section title={text.accounts.title}>
          <Access personId={person.id} />
        </Section>
      )}
      {may('devices:read') && (
        <Section title={text.nav.devices} count={devices.data?.items.length}>
          <Loaded query={devices}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty>{text.people.noDevices}</Empty>
              ) : (
                <ul className="cards">
                  {items.map(({ id }) => (
                    <DeviceCard key={id} deviceId={id} />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </Section>
      )}
      <Employments person={person} />
      {may('cases:read') && <CasesAndTimeline person={person} />}
    </Page>
  );
}

function PersonSub({ person }: { person: PersonDetails }): ReactNode {
  const now = useNow(15_000);
  const current = person.employments.at(-1);
  const clock = current ? clockIn(current.zone, now) : null;
  return (
    <>
      <Mark {...statusLooks(person.status)} /> · {person.corporateEmail}
      {current && ` · ${current.department}`}
      {current && clock !== null && ` · ${text.people.localTime(current.location ?? current.zone, clock)}`}
    </>
  );
}

function Access({ personId }: { personId: string }): ReactNode {
  const query = useQuery(accountsQuery({ personId, limit: 200 }));
  return (
    <Loaded query={query}>
      {({ items }) => (items.length === 0 ? <Empty>{text.accounts.none}</Empty> : <PersonAccess accounts={items} />)}
    </Loaded>
  );
}

function DeviceCard({ deviceId }: { deviceId: string }): ReactNode {
  const query = useQuery(deviceQuery(deviceId));
  return (
    <li className="card">
      <Loaded query={query} lines={2}>
        {({ id, assetTag, state, observations }) => {
          const encryption = observations.find(({ kind }) => kind === 'disk_encryption');
          const online = observations.find(({ kind }) => kind === 'last_online');
          return (
            <>
              <Link to="/devices/$deviceId" params={{ deviceId: id }} className="card-title" data-row>
                {assetTag}
              </Link>
              <span className="dim">{text.devices.state[state]}</span>
              <Mark {...encryptionLooks(encryption)} />
              {online && (
                <span className="dim">
                  {text.lostLaptop.lastSeen} <Instant at={online.observedAt} />
                </span>
              )}
            </>
          );
        }}
      </Loaded>
    </li>
  );
}

function Employments({ person: { employments } }: { person: PersonDetails }): ReactNode {
  return (
    <Section title={text.people.employments}>
      <ul className="rows">
        {employments.map((one) => (
          <li key={one.id} className="row-plain">
            <span className="row-name">
              {one.department}
              {one.title && ` · ${one.title}`}
            </span>
            <span className="row-detail">
              {text.people.employed(one.startDate, one.endDate ?? null)} · {one.employmentType}
              {one.location !== null && ` · ${one.location}`} · {text.people.toldBy(one.source)}
            </span>
            {one.endHeldAt && <Mark shape="‖" tone="waiting" word={text.people.endHeld} />}
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Of so many cases the steps are read, too. */
const IN_FULL = 10;

function CasesAndTimeline({ person }: { person: PersonDetails }): ReactNode {
  const cases = useQuery(casesQuery({ personId: person.id, limit: 50 }));
  const items = cases.data?.items ?? [];
  const inFull = useQueries({ queries: items.slice(0, IN_FULL).map(({ id }) => caseQuery(id)) }).flatMap(
    ({ data }) => data ?? [],
  );
  useWatchedCases(items.filter(({ state }) => state === 'open').map(({ id }) => id));
  return (
    <>
      <Section title={text.nav.cases} count={items.length}>
        <Loaded query={cases}>
          {() =>
            items.length === 0 ? (
              <Empty>{text.cases.none}</Empty>
            ) : (
              <ul className="rows">
                {items.map(({ id, kind, state, openedAt }) => {
                  const steps = inFull.find((one) => one.id === id)?.steps;
                  return (
                    <li key={id}>
                      <Link to="/cases/$caseId" params={{ caseId: id }} className="row-link" data-row>
                        <span className="row-name">{text.cases.kind[kind]}</span>
                        <span className="row-detail">
                          {steps ? (
                            <ProgressMarks steps={steps} words={progressOf(steps).words} />
                          ) : (
                            text.cases.state[state]
                          )}
                        </span>
                        <span className="dim">
                          <Instant at={openedAt} />
                        </span>
                      </Link>
                    </li>
                  );
                })}
              </ul>
            )
          }
        </Loaded>
      </Section>
      <Section title={text.people.timeline}>
        <ol className="timeline">
          {timelineOf(person, items, inFull).map((entry) => (
            <li key={entry.key}>
              <span className="timeline-at">
                <ClockTime at={entry.at} /> <span className="dim small">· </span>
                <span className="dim small">
                  <Instant at={entry.at} />
                </span>
              </span>
              <span>{entry.words}</span>
            </li>
          ))}
        </ol>
      </Section>
    </>
  );
}
