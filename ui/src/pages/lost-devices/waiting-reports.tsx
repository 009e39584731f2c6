import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lossReportsQuery } from '../../api/queries.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const MOST = 30;

/** What people said at `/lost` and nobody has looked into: each hour counts. */
export function WaitingReports(): ReactNode {
  const mayConfirm = useMay()('lost-devices:report', 'everywhere');
  const { data, error } = useQuery({
    ...lossReportsQuery({ state: 'waiting', limit: MOST }),
    enabled: mayConfirm,
  });
  if (error) return <ProblemNotice error={error} />;
  if (data === undefined || data.items.length === 0) return null;
  const { items, next } = data;
  return (
    <Section title={text.lossReports.waiting} count={next === null ? items.length : `${items.length}+`}>
      <ul className="cards">
        {items.map(({ id, email, assetTag, times, reportedAt }) => (
          <li key={id}>
            <Link to="/lost-laptop" search={{ report: id }} className="card card-link" data-row>
              <span className="card-title">▲ {text.lossReports.says(email, assetTag)}</span>
              <span className="dim small">
                {text.lossReports.times(times)} · <Instant at={reportedAt} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
