import type { ReactNode } from 'react';
import { Link } from '@tanstack/react-router';
import type { AskedApproval } from '../../api/types.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** What was asked for and isn't done yet: another person has to approve it. Null: nothing was. */
export function WaitsForApproval({ approval }: { approval: AskedApproval | null }): ReactNode {
  const mayRead = useMay()('approvals:read');
  return (
    <div role="status">
      {approval && (
        <div className="notice">
          <p className="notice-title">▲ {text.settings.notDone}</p>
          <p>
            {approval.summary} · {text.approvals.endsIn} <Instant at={approval.expiresAt} />
          </p>
          {mayRead && <Link to="/approvals">{text.settings.toApprovals}</Link>}
        </div>
      )}
    </div>
  );
}
