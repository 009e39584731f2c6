import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { accountsQuery } from '../../api/queries.js';
import { DownloadCsv } from '../../parts/download-csv.js';
import { Empty, Loaded } from '../../parts/loaded.js';
import { Section } from '../../parts/section.js';
import { Mark } from '../../parts/step-state-mark.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

const SHOWN = 100;

/** Accounts that were found at a tool and belong to nobody: service accounts, shared ones, and forgotten ones. */
export function NobodysAccounts({ toolId }: { toolId: string }): ReactNode {
  const filters = { toolId, nobodys: 'true' } as const;
  const query = useQuery(accountsQuery({ ...filters, limit: SHOWN }));
  const count = query.data && `${query.data.items.length}${query.data.next === null ? '' : '+'}`;
  return (
    <Section title={text.tools.nobodys} count={count} acts={<DownloadCsv path="/v1/accounts.csv" filters={filters} />}>
      <p className="small dim">{text.tools.nobodysMeans}</p>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{text.tools.noNobodys}</Empty>
          ) : (
            <ul className="rows">
              {items.map(({ id, username, kind, observedState, observedAt }) => (
                <li key={id} className="row-plain">
                  <span className="row-name">{username}</span>
                  <span className="row-detail">{text.accounts.kinds[kind]}</span>
                  <span>
                    <Mark
                      shape={observedState === 'active' ? '▲' : '○'}
                      tone={observedState === 'active' ? 'bad' : 'over'}
                      word={text.accounts.observed[observedState]}
                    />{' '}
                    {observedAt !== null && <Instant at={observedAt} />}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
