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
      {may('cases:read') && <Figures />}
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

function Figures(): ReactNode {
  const query = useQuery(figuresQuery);
  const time = (seconds: number | null): string => (seconds === null ? '–' : duration(seconds * 1000));
  return (
    <Section title={text.overview.timeToRevoked}>
      <Loaded query={query} lines={1}>
        {({ days, revocations: { cases, median, p95, last } }) =>
          cases === 0 ? (
            <Empty>{text.overview.nothingRevoked(days)}</Empty>
          ) : (
            <>
              <dl className="figures">
                <Figure name={text.overview.median} value={time(median)} />
                <Figure name={text.overview.p95} value={time(p95)} />
                <Figure name={text.overview.last} value={time(last)} />
                <Figure name={text.nav.cases} value={String(cases)} />
              </dl>
              <p className="small dim">{text.overview.figuresMean(days)}</p>
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function Figure({ name, value }: { name: string; value: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
