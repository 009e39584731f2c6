import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { approvalQuery } from '../../api/queries.js';
import type { Approval } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Loaded } from '../../parts/loaded.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import type { Tone } from '../../states/step-states.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';
import { serverNow } from '../../time/server-clock.js';
import { useNow } from '../../time/use-now.js';

const LOOKS = {
  waiting: { shape: '▲', tone: 'bad' },
  approved: { shape: '●', tone: 'over' },
  refused: { shape: '⊘', tone: 'over' },
} as const satisfies Record<Approval['state'], { shape: string; tone: Tone }>;

export function ApprovalCard({ approval }: { approval: Approval }): ReactNode {
  const may = useMay();
  const now = useNow(approval.state === 'waiting' ? 10_000 : null);
  const [asked, setAsked] = useState<'approve' | 'refuse' | null>(null);
  const close = (): void => setAsked(null);
  const params = { path: { id: approval.id } };
  const isOver = Date.parse(approval.expiresAt) <= Math.max(now, serverNow());
  const waits = approval.state === 'waiting' && !isOver;
  const body = (note: string): { note?: string } => (note === '' ? {} : { note });
  return (
    <li className="card" data-row tabIndex={-1}>
      <p className="card-title">{approval.summary}</p>
      <p>
        {approval.state === 'waiting' && isOver ? (
          <Mark shape="⊘" tone="over" word={text.approvals.expired} />
        ) : (
          <Mark {...LOOKS[approval.state]} word={text.approvals.state[approval.state]} />
        )}{' '}
        <span className="dim">
          {text.approvals.requestedBy(approval.requestedBy)} <Instant at={approval.requestedAt} />
          {waits && (
            <>
              {' · '}
              {text.approvals.endsIn} <Instant at={approval.expiresAt} />
            </>
          )}
          {approval.decidedBy !== null && ` · ${text.approvals.decidedBy(approval.decidedBy)}`}
        </span>
      </p>
      <p className="quoted">{approval.reason}</p>
      {waits && approval.mayDecide && may('approvals:decide') && (
        <p className="row">
          <Button size="xs" onClick={() => setAsked('approve')}>
            {text.approvals.approve}
          </Button>
          <Button size="xs" variant="default" onClick={() => setAsked('refuse')}>
            {text.approvals.refuse}
          </Button>
        </p>
      )}
      {asked === 'approve' && (
        <ActDialog
          title={text.approvals.approveTitle}
          verb={text.approvals.approve}
          ask={{ label: text.approvals.note, required: false }}
          act={(note) => answerOf(api.POST('/v1/approvals/{id}/approve', { params, body: body(note) }))}
          onDone={close}
          onClose={close}
        >
          <p>{approval.summary}</p>
          <Plan approvalId={approval.id} />
          <p className="dim">{text.approvals.approveMeans}</p>
        </ActDialog>
      )}
      {asked === 'refuse' && (
        <ActDialog
          title={text.approvals.refuseTitle}
          verb={text.approvals.refuse}
          ask={{ label: text.approvals.note, required: false }}
          act={(note) => answerOf(api.POST('/v1/approvals/{id}/refuse', { params, body: body(note) }))}
          onDone={close}
          onClose={close}
        >
          <p>{text.approvals.refuseMeans}</p>
        </ActDialog>
      )}
    </li>
  );
}

/** Exactly what is approved, by its hash. */
function Plan({ approvalId }: { approvalId: string }): ReactNode {
  const query = useQuery(approvalQuery(approvalId));
  return (
    <Loaded query={query} lines={2}>
      {({ plan, planHash }) => (
        <details className="more">
          <summary>{text.approvals.plan}</summary>
          <pre className="plan">{JSON.stringify(plan, null, 2)}</pre>
          <p className="small dim">
            SHA-256 <code>{planHash}</code>
          </p>
        </details>
      )}
    </Loaded>
  );
}
