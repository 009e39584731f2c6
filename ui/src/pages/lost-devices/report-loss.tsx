import { useState, type ReactNode } from 'react';
import { Textarea } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import { text } from '../../text/text.js';
import { CutAccess, type LostThing } from './cut-access.js';

/** A loss that somebody of IT reports. */
export function ReportLoss({ device, personId }: LostThing): ReactNode {
  const [note, setNote] = useState('');
  return (
    <CutAccess
      device={device}
      personId={personId}
      words={text.lostLaptop}
      cut={(scope) =>
        answerOf(
          api.POST('/v1/lost-devices', {
            body: { deviceId: device.id, scope, ...(note.trim() !== '' && { note: note.trim() }) },
          }),
        )
      }
    >
      {() => (
        <details className="more">
          <summary>{text.lostLaptop.addNote}</summary>
          <Textarea
            label={text.lostLaptop.note}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            maxLength={2_000}
            rows={2}
          />
        </details>
      )}
    </CutAccess>
  );
}
