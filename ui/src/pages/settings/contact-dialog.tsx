import { useState, type ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import type { AlertChannel, Contact } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { text } from '../../text/text.js';

const words = text.settings.alerts;
/** Minutes until the next is told, where nobody says. */
const USUAL = 15;

export type NewContact = Omit<Contact, 'level'>;

interface Props {
  /** Null: a new one. */
  contact: Contact | null;
  channels: readonly AlertChannel[];
  save: (contact: NewContact) => Promise<unknown>;
  onClose: () => void;
}

/** One place on the list: who, by which channels, and for how long they have it alone. */
export function ContactDialog({ contact, channels, save, onClose }: Props): ReactNode {
  const [name, setName] = useState(contact?.name ?? '');
  /** In the order in which they were chosen, which is the one in which they are tried. */
  const [channelIds, setChannelIds] = useState(contact?.channelIds ?? []);
  const [minutes, setMinutes] = useState(String((contact?.waitSeconds ?? USUAL * 60) / 60));
  const waitSeconds = Math.round(Number(minutes) * 60);
  const verb = contact ? text.save : words.addContactVerb;
  const choose = (id: string, isChosen: boolean): void =>
    setChannelIds((before) => (isChosen ? [...before, id] : before.filter((one) => one !== id)));
  return (
    <ActDialog
      title={contact ? text.devices.actOn(text.settings.change, contact.name) : words.addContactTitle}
      verb={verb}
      isIncomplete={name.trim() === '' || channelIds.length === 0 || !(waitSeconds > 0)}
      act={() => save({ name: name.trim(), channelIds, waitSeconds })}
      onDone={onClose}
      onClose={onClose}
    >
      <TextInput
        label={words.who}
        description={words.whoMeans}
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        required
        maxLength={200}
        data-autofocus
      />
      <fieldset className="scopes">
        <legend>{words.byMeans}</legend>
        {channels.map((channel) => {
          const at = channelIds.indexOf(channel.id);
          return (
            <label key={channel.id} className="check">
              <input
                type="checkbox"
                checked={at >= 0}
                onChange={({ currentTarget }) => choose(channel.id, currentTarget.checked)}
              />
              <span>
                {channel.name} <span className="dim small">{at >= 0 && words.tried(at + 1)}</span>
              </span>
            </label>
          );
        })}
      </fieldset>
      <TextInput
        type="number"
        inputMode="numeric"
        min={1}
        max={1440}
        label={words.waitLabel}
        value={minutes}
        onChange={({ currentTarget }) => setMinutes(currentTarget.value)}
        required
      />
    </ActDialog>
  );
}
