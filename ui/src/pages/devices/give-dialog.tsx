import { useState, type ReactNode } from 'react';
import { answerOf, api } from '../../api/client.js';
import type { Device, Person } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChoosePerson } from '../../parts/choose-person.js';
import { PersonLink } from '../../parts/person-link.js';
import { text } from '../../text/text.js';

interface Props {
  device: Device;
  how: 'assign' | 'reserve';
  /** With the acknowledgement that the person is to sign, where there is one. */
  onDone: (toSign: string | null) => void;
  onClose: () => void;
}

/** Gives a device to somebody, or keeps it for them. One that is kept is given to whom it is kept for. */
export function GiveDialog({ device, how, onDone, onClose }: Props): ReactNode {
  const [person, setPerson] = useState<Person | null>(null);
  const { id, assetTag, reservedForId } = device;
  const personId = reservedForId ?? person?.id;
  const words = text.give[how];
  const give = async (): Promise<string | null> => {
    if (personId === undefined) return null;
    const params = { path: { id } };
    if (how === 'reserve') {
      await answerOf(api.POST('/v1/devices/{id}/reserve', { params, body: { personId } }));
      return null;
    }
    await answerOf(api.POST('/v1/devices/{id}/assign', { params, body: { personId } }));
    const query = { deviceId: id, personId, signed: 'false', limit: 1 } as const;
    const { items } = await answerOf(api.GET('/v1/acknowledgements', { params: { query } }));
    return items[0]?.id ?? null;
  };
  return (
    <ActDialog
      title={text.devices.actOn(words.verb, assetTag)}
      verb={words.verb}
      isIncomplete={personId === undefined}
      act={give}
      onDone={onDone}
      onClose={onClose}
    >
      <p>{words.means}</p>
      {reservedForId === null ? (
        <ChoosePerson label={words.whom} chosen={person} onChoose={setPerson} />
      ) : (
        <p>
          {text.devices.keptFor} <PersonLink id={reservedForId} />
        </p>
      )}
    </ActDialog>
  );
}
