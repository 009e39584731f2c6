import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { answerOf, api } from '../../api/client.js';
import { brakeQuery } from '../../api/queries.js';
import type { Brake } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { Loaded } from '../../parts/loaded.js';
import { Mark } from '../../parts/step-state-mark.js';
import { useMay } from '../../shell/caller.js';
import { text, wordFor } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

/** Too much at once, which is held; two people let it go or give it up. */
export function BrakeCard({ brake }: { brake: Brake }): ReactNode {
  const mayRequest = useMay()('approvals:request');
  const [asked, setAsked] = useState<'release' | 'discard' | null>(null);
  const [isOpen, setOpen] = useState(false);
  const close = (): void => setAsked(null);
  const params = { path: { id: brake.id } };
  return (
    <li className="card" data-row tabIndex={-1}>
      <p className="card-title">{text.approvals.held(brake.people, wordFor(text.approvals.kind, brake.kind))}</p>
      <p>
        <Mark shape="‖" tone="bad" word={text.approvals.standing} />{' '}
        <span className="dim">
          {text.approvals.from(brake.source)} · <Instant at={brake.since} /> · {text.approvals.allowed(brake.allowed)}
        </span>
      </p>
      <details className="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{text.approvals.whom}</summary>
        {isOpen && <HeldPeople brakeId={brake.id} />}
      </details>
      {mayRequest && (
        <p className="row">
          <Button size="xs" onClick={() => setAsked('release')}>
            {text.approvals.release}
          </Button>
          <Button size="xs" variant="default" onClick={() => setAsked('discard')}>
            {text.approvals.discard}
          </Button>
        </p>
      )}
      {asked !== null && (
        <ActDialog
          title={asked === 'release' ? text.approvals.releaseTitle : text.approvals.discardTitle}
          verb={text.approvals.askSecond}
          ask={{ label: text.approvals.reason, required: true }}
          act={(reason) =>
            answerOf(
              asked === 'release'
                ? api.POST('/v1/brakes/{id}/release', { params, body: { reason } })
                : api.POST('/v1/brakes/{id}/discard', { params, body: { reason } }),
            )
          }
          onDone={close}
          onClose={close}
        >
          <p>
            {asked === 'release'
              ? text.approvals.releaseMeans(brake.people)
              : text.approvals.discardMeans(brake.people)}
          </p>
        </ActDialog>
      )}
    </li>
  );
}

function HeldPeople({ brakeId }: { brakeId: string }): ReactNode {
  const query = useQuery(brakeQuery(brakeId));
  return (
    <Loaded query={query}>
      {({ held }) => (
        <ul className="plain-list">
          {held.map(({ caseId, personId, displayName, corporateEmail, steps }) => (
            <li key={caseId}>
              <Link to="/people/$personId" params={{ personId }}>
                {displayName}
              </Link>{' '}
              <span className="dim">
                {corporateEmail} · {text.approvals.steps(steps.length)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  );
}
