import type { ReactNode } from 'react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { endlessLeadTimes } from '../../api/device-queries.js';
import { Endless } from '../../parts/endless.js';
import { Fact } from '../../parts/fact.js';
import { PersonLink } from '../../parts/person-link.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { duration } from '../../time/relative-time.js';

/** How long it took from each loss until the replacement was first seen. */
export function LeadTimes(): ReactNode {
  const mayReadCases = useMay()('cases:read');
  const query = useInfiniteQuery(endlessLeadTimes);
  const figures = query.data?.pages[0];
  const time = (seconds: number | null): string => (seconds === null ? '–' : duration(seconds * 1_000));
  return (
    <Section title={text.models.leadTimes}>
      {figures && figures.losses > 0 && (
        <dl className="figures">
          <Fact name={text.overview.median}>{time(figures.medianSeconds)}</Fact>
          <Fact name={text.overview.p95}>{time(figures.p95Seconds)}</Fact>
          <Fact name={text.models.measured}>{text.models.of(figures.measured, figures.losses)}</Fact>
        </dl>
      )}
      <Endless query={query} none={text.models.noLosses}>
        {(losses) => (
          <Table
            rows={losses.map((loss) => ({ ...loss, id: loss.lossCaseId }))}
            columns={[
              {
                name: text.models.lost,
                cell: ({ lossCaseId, lostAt }) =>
                  mayReadCases ? (
                    <Link to="/cases/$caseId" params={{ caseId: lossCaseId }}>
                      <Instant at={lostAt} />
                    </Link>
                  ) : (
                    <Instant at={lostAt} />
                  ),
              },
              { name: text.search.person, cell: ({ personId }) => <PersonLink id={personId} /> },
              {
                name: text.models.kept,
                cell: ({ reservedDeviceId }) =>
                  reservedDeviceId === null ? text.models.noneKept : text.models.oneKept,
              },
              {
                name: text.models.given,
                cell: ({ replacementDeviceId, replacedAt }) =>
                  replacementDeviceId === null ? (
                    <Mark shape="○" tone="waiting" word={text.models.notYet} />
                  ) : (
                    <>
                      <Link to="/devices/$deviceId" params={{ deviceId: replacementDeviceId }}>
                        {text.devices.device}
                      </Link>{' '}
                      {replacedAt !== null && <Instant at={replacedAt} />}
                    </>
                  ),
              },
              {
                name: text.models.seen,
                cell: ({ leadSeconds }) =>
                  leadSeconds === null ? <span className="dim">{text.models.notYet}</span> : time(leadSeconds),
              },
            ]}
          />
        )}
      </Endless>
    </Section>
  );
}
