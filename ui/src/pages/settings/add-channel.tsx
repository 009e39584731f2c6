import { useState, type ReactNode } from 'react';
import { NativeSelect, PasswordInput, TextInput } from '@mantine/core';
import { answerOf, api } from '../../api/client.js';
import type { AlertChannel, NewChannel } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { text } from '../../text/text.js';
import { keyFrom, settingsOf, typedOf, type Typed } from '../tools/settings-fields.js';
import { SettingsForm } from '../tools/settings-form.js';
import { CHANNEL_FIELDS } from './channel-fields.js';

type Kind = AlertChannel['kind'];

const words = text.settings.alerts;
const KINDS = ['pagerduty', 'slack', 'smtp'] as const satisfies readonly Kind[];

/** A new channel: which kind, then what that kind needs. Its secret is never shown again. */
export function AddChannel({ onClose }: { onClose: () => void }): ReactNode {
  const [kind, setKind] = useState<Kind>('pagerduty');
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [typed, setTyped] = useState<Typed>(() => typedOf(CHANNEL_FIELDS.pagerduty, {}));
  const choose = (chosen: Kind): void => {
    setKind(chosen);
    setSecret('');
    setTyped(typedOf(CHANNEL_FIELDS[chosen], {}));
  };
  const fields = CHANNEL_FIELDS[kind];
  const isMissing = fields.some((field) => field.isRequired && String(typed[field.name] ?? '').trim() === '');
  const add = (): Promise<AlertChannel> => {
    const read = settingsOf(fields, typed);
    const settings = 'settings' in read ? read.settings : {};
    const body = { kind, name, settings, ...(secret !== '' && { secret }) };
    // What is wrong with a value, the service says: each by its field.
    return answerOf(api.POST('/v1/alert-channels', { body: body as NewChannel }));
  };
  return (
    <ActDialog
      title={words.addTitle}
      verb={words.addVerb}
      isIncomplete={name === '' || isMissing || (kind !== 'smtp' && secret === '')}
      act={add}
      onDone={onClose}
      onClose={onClose}
    >
      <NativeSelect
        label={words.kindLabel}
        value={kind}
        onChange={({ currentTarget }) => choose(KINDS.find((one) => one === currentTarget.value) ?? kind)}
        data={KINDS.map((value) => ({ value, label: words.kind[value] }))}
        data-autofocus
      />
      <TextInput
        label={words.name}
        description={words.nameMeans}
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        onBlur={() => setName(keyFrom(name))}
        required
        maxLength={63}
        autoComplete="off"
        spellCheck={false}
      />
      <SettingsForm fields={fields} typed={typed} onType={setTyped} />
      <PasswordInput
        label={words.secret[kind].label}
        description={words.secret[kind].means}
        value={secret}
        onChange={({ currentTarget }) => setSecret(currentTarget.value)}
        required={kind !== 'smtp'}
        autoComplete="off"
      />
    </ActDialog>
  );
}
