import { useState, type ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { Device, Person } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChoosePerson } from '../../parts/choose-person.js';
import { text } from '../../text/text.js';

/** Somebody answers for a device that isn't standard, until a day: without that it is given to nobody. */
export function TolerateDialog({ device, onClose }: { device: Device; onClose: () => void }): ReactNode {
  const [owner, setOwner] = useState<Person | null>(null);
  const [endsOn, setEndsOn] = useState('');
  const { id, assetTag } = device;
  return (
    <ActDialog
      title={text.devices.actOn(text.give.tolerate.verb, assetTag)}
      verb={text.give.tolerate.verb}
      isIncomplete={owner === null || endsOn === ''}
      ask={{ label: text.give.tolerate.why, required: true }}
      act={(reason) =>
        answerOf(
          api.POST('/v1/devices/{id}/exception', {
            params: { path: { id } },
            body: { ownerId: owner?.id ?? '', reason, endsOn },
          }),
        )
      }
      onDone={onClose}
      onClose={onClose}
    >
      <p>{text.give.tolerate.means}</p>
      <ChoosePerson label={text.give.tolerate.whom} chosen={owner} onChoose={setOwner} />
      <TextInput
        type="date"
        label={text.give.tolerate.until}
        value={endsOn}
        onChange={({ currentTarget }) => setEndsOn(currentTarget.value)}
        required
      />
    </ActDialog>
  );
}
