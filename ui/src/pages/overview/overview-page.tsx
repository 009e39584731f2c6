import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { casesQuery, figuresQuery } from '../../api/queries.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { duration } from '../../time/relative-time.js';
import { CaseRows } from '../cases/case-rows.js';
import { DiskEncryption } from './disk-encryption.js';
import { NeedsYou } from './needs-you.js';

/** What needs a person now, and what is under way. */
export function OverviewPage(): ReactNode {
  const may = useMay();
  return (
    <Page title={text.nav.overview}>
      <div className="columns">
        <NeedsYou />
        {may('cases:read') && <OpenCases />}
      </div>
      <div className="columns">
        {may('devices:read') && <DiskEncryption />}
        {may('cases:read') && (
          <div>
            <Leavers />
            <Revocations />
          </div>
        )}
      </div>
    </Page>
  );
}

const SHOWN = 12;

function OpenCases(): ReactNode {
  const query = useQuery(casesQuery({ state: 'open', limit: SHOWN + 1 }));
  const count = query.data?.items.length;
  return (
    <Section title={text.overview.openCases} count={count !== undefined && count > SHOWN ? `${SHOWN}+` : count}>
      <Loaded query={query} lines={6}>
        {({ items }) =>
          items.length === 0 ? <Empty>{text.overview.noOpenCases}</Empty> : <CaseRows cases={items.slice(0, SHOWN)} />
        }
      </Loaded>
      {count !== undefined && count > SHOWN && (
        <Link to="/cases" search={{ state: 'open' }}>
          {text.overview.allOpen}
        </Link>
      )}
    </Section>
  );
}

interface TimesProps {
  times: { median: number | null; p95: number | null; last: number | null };
  /** What is counted, before them. */
  children: ReactNode;
}

function Times({ times: { median, p95, last }, children }: TimesProps): ReactNode {
  const time = (seconds: number | null): string => (seconds === null ? '–' : duration(seconds * 1000));
  return (
    <dl className="figures">
      {children}
      <Figure name={text.overview.median} value={time(median)} />
      <Figure name={text.overview.p95} value={time(p95)} />
      <Figure name={text.overview.last} value={time(last)} />
    </dl>
  );
}

function Leavers(): ReactNode {
  const query = useQuery(figuresQuery);
  return (
    <Section title={text.overview.leavers}>
      <Loaded query={query} lines={1}>
        {({ leavers }) =>
          leavers.opened === 0 ? (
            <Empty>{text.overview.noLeavers(leavers.days)}</Empty>
          ) : (
            <>
              <Times times={leavers}>
                <Figure
                  name={text.overview.leaves}
                  value={
                    <Link to="/cases" search={{ kind: 'leaver' }}>
                      {leavers.opened}
                    </Link>
                  }
                />
              </Times>
              <p className="small dim">{text.overview.leaversMean(leavers.cases, leavers.opened)}</p>
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function Revocations(): ReactNode {
  const query = useQuery(figuresQuery);
  return (
    <Section title={text.overview.timeToRevoked}>
      <Loaded query={query} lines={1}>
        {({ days, revocations }) =>
          revocations.cases === 0 ? (
            <Empty>{text.overview.nothingRevoked(days)}</Empty>
          ) : (
            <>
              <Times times={revocations}>
                <Figure name={text.nav.cases} value={revocations.cases} />
              </Times>
              <p className="small dim">{text.overview.figuresMean(days)}</p>
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
