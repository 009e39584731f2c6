import { useState, type ReactNode } from 'react';
import { Textarea } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { LossReport, PersonDetails } from '../../api/types.js';
import { text } from '../../text/text.js';
import { CutAccess, type LostThing } from './cut-access.js';

type How = NonNullable<LossReport['confirmedHow']>;

const HOWS = ['called_back', 'in_person', 'vouched'] as const satisfies readonly How[];

interface Props extends LostThing {
  report: LossReport;
}

/** What was said at `/lost` is so: how somebody knows that, and what it cuts. Nothing of it is chosen beforehand. */
export function ConfirmReport({ report: { id, email }, device, personId }: Props): ReactNode {
  const [how, setHow] = useState<How | null>(null);
  const [note, setNote] = useState('');
  return (
    <CutAccess
      device={device}
      personId={personId}
      words={text.lossReports}
      sameLoss={text.lossReports.sameLoss}
      cut={
        how &&
        ((scope) =>
          answerOf(
            api.POST('/v1/loss-reports/{id}/confirm', {
              params: { path: { id } },
              body: { deviceId: device.id, scope, how, note: note.trim() },
            }),
          ))
      }
    >
      {(holder) => (
        <>
          {holder && <OtherHolder holder={holder} email={email} />}
          <fieldset className="scopes">
            <legend>{text.lossReports.how}</legend>
            {HOWS.map((one) => (
              <label key={one} className={one === how ? 'scope scope-chosen' : 'scope'}>
                <input type="radio" name="how" required checked={one === how} onChange={() => setHow(one)} />
                {text.lossReports.confirmedHow[one]}
              </label>
            ))}
          </fieldset>
          <Textarea
            label={text.lossReports.note}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            required
            minLength={3}
            maxLength={2_000}
            rows={2}
          />
        </>
      )}
    </CutAccess>
  );
}

/** Anybody can type anybody's label. */
function OtherHolder({ holder, email }: { holder: PersonDetails; email: string }): ReactNode {
  const { displayName, corporateEmail } = holder;
  if (corporateEmail.toLowerCase() === email) return null;
  return (
    <div className="notice notice-bad" role="alert">
      <p className="notice-title">▲ {text.lossReports.notTheirs}</p>
      <p>{text.lossReports.otherHolder(displayName, corporateEmail)}</p>
    </div>
  );
}
