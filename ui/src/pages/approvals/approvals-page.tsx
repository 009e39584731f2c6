import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { approvalsQuery, brakesQuery } from '../../api/queries.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Page, Section } from '../../parts/section.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { ApprovalCard } from './approval-card.js';
import { BrakeCard } from './brake-card.js';

/** What was stopped because it was too much at once, and what waits for a second person. */
export function ApprovalsPage(): ReactNode {
  const may = useMay();
  const approvals = useQuery(approvalsQuery({ limit: 50 }));
  const brakes = useQuery({ ...brakesQuery({ state: 'standing', limit: 50 }), enabled: may('brakes:read') });
  return (
    <Page title={text.nav.approvals} sub={text.approvals.sub}>
      {may('brakes:read') && (
        <Section title={text.approvals.brakes} count={brakes.data?.items.length}>
          <Loaded query={brakes}>
            {({ items }) =>
              items.length === 0 ? (
                <Empty>{text.approvals.noBrakes}</Empty>
              ) : (
                <ul className="cards">
                  {items.map((brake) => (
                    <BrakeCard key={brake.id} brake={brake} />
                  ))}
                </ul>
              )
            }
          </Loaded>
        </Section>
      )}
      <Section title={text.approvals.requests}>
        <Loaded query={approvals}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty>{text.approvals.none}</Empty>
            ) : (
              <ul className="cards">
                {items.map((approval) => (
                  <ApprovalCard key={approval.id} approval={approval} />
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}
