import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { toolsQuery } from '../../api/queries.js';
import type { Account } from '../../api/types.js';
import { Residual } from '../../parts/residual.js';
import { Mark } from '../../parts/step-state-mark.js';
import { Table } from '../../parts/table.js';
import { useMay } from '../../shell/caller.js';
import { accountLooks } from '../../states/account-looks.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** What each account is, as its tool last showed it, beside what it should be. */
export function PersonAccess({ accounts }: { accounts: readonly Account[] }): ReactNode {
  const mayRead = useMay()('tools:read');
  const { data: tools } = useQuery({ ...toolsQuery, enabled: mayRead });
  return (
    <Table
      rows={accounts}
      columns={[
        {
          name: text.accounts.tool,
          cell: ({ toolId }) => tools?.items.find(({ id }) => id === toolId)?.name ?? text.accounts.someTool,
        },
        { name: text.accounts.username, cell: ({ username }) => username },
        {
          name: text.accounts.state,
          cell: (account) => (
            <>
              <Mark {...accountLooks(account)} />
              {account.residualUntil !== null && (
                <>
                  {' '}
                  <Residual until={account.residualUntil} />
                </>
              )}
            </>
          ),
        },
        {
          name: text.accounts.readBack,
          cell: ({ observedAt }) => (observedAt === null ? text.accounts.never : <Instant at={observedAt} />),
        },
        { name: text.accounts.sessions, cell: ({ liveSessions }) => liveSessions ?? text.accounts.notShown },
      ]}
    />
  );
}
