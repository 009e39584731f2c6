import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { Loss } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import { Instant } from '../../time/instant.js';

type Assessment = NonNullable<Loss['assessment']>['decision'];

/** What a breach assessment starts from, and what came of it; folded away, since it is needed days later. */
export function LossWorksheet({ loss }: { loss: Loss }): ReactNode {
  const { notifyBy, encryption, reachable, unknowns } = loss.worksheet;
  return (
    <details className="more">
      <summary>{text.lostLaptop.worksheet}</summary>
      <div className="stack">
        <p>
          {text.lostLaptop.notifyBy} <Instant at={notifyBy} />.
        </p>
        <p>
          <strong>{text.lostLaptop.encryptionShown[encryption.shown]}</strong> {encryption.because}
        </p>
        {reachable.length > 0 && (
          <div>
            <h3>{text.lostLaptop.reachable}</h3>
            <ul className="plain-list">
              {reachable.map(({ tool, username, cut }) => (
                <li key={`${tool} ${username}`}>
                  {text.lostLaptop.reach(tool, username)}
                  <span className="dim"> · {cut}</span>
                </li>
              ))}
            </ul>
          </div>
        )}
        {unknowns.length > 0 && (
          <div>
            <h3>{text.lostLaptop.unknowns}</h3>
            <ul className="plain-list">
              {unknowns.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </div>
        )}
        <Assess loss={loss} />
      </div>
    </details>
  );
}

function Assess({ loss: { caseId, assessment } }: { loss: Loss }): ReactNode {
  const may = useMay();
  const [asked, setAsked] = useState<Assessment | null>(null);
  const close = (): void => setAsked(null);
  if (assessment !== null) {
    const { decision, reason, decidedBy, decidedAt } = assessment;
    return (
      <div>
        <p>
          <strong>{text.lostLaptop.assessed[decision]}</strong>{' '}
          <span className="dim">
            {text.lostLaptop.by(decidedBy)} <Instant at={decidedAt} />
          </span>
        </p>
        <p className="quoted">{reason}</p>
      </div>
    );
  }
  if (!may('lost-devices:decide')) return null;
  return (
    <p className="row">
      {(['notify', 'no_notification'] as const).map((decision) => (
        <Button key={decision} size="xs" variant="default" onClick={() => setAsked(decision)}>
          {text.lostLaptop.assess[decision]}
        </Button>
      ))}
      {asked !== null && (
        <ActDialog
          title={text.lostLaptop.assessTitle[asked]}
          verb={text.lostLaptop.assess[asked]}
          ask={{ label: text.lostLaptop.why, required: true }}
          act={(reason) =>
            answerOf(
              api.POST('/v1/lost-devices/{caseId}/assessment', {
                params: { path: { caseId } },
                body: { decision: asked, reason },
              }),
            )
          }
          onDone={close}
          onClose={close}
        >
          <p>{text.lostLaptop.assessMeans}</p>
        </ActDialog>
      )}
    </p>
  );
}
