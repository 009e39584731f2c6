import { useState, type ReactNode } from 'react';
import { Button, Checkbox, NativeSelect, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { queryClient } from '../../api/query-client.js';
import type { Connector, ToolDetails } from '../../api/types.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Section } from '../../parts/section.js';
import { text } from '../../text/text.js';
import { fieldsOf, keyFrom, settingsOf, typedOf, type Typed } from './settings-fields.js';
import { SettingsForm } from './settings-form.js';

/** What is sent of a tool, new or changed. */
export interface ToolWord {
  name: string;
  key: string;
  environment: ToolDetails['environment'];
  owners: string[];
  settings: Record<string, unknown>;
  secrets: Record<string, string>;
  allowPrivateAddresses: boolean;
  requiresSecondPerson: boolean;
}

interface Props {
  connector: Connector;
  /** What is changed; without it, one is set up. */
  tool?: ToolDetails;
  verb: string;
  send: (word: ToolWord) => Promise<ToolDetails>;
  onDone: (tool: ToolDetails) => void;
}

/** Everything that a tool needs, with the connector's own settings and secrets. A secret that is there is never shown. */
export function ToolForm({ connector, tool, verb, send, onDone }: Props): ReactNode {
  const fields = fieldsOf(connector.settings);
  const [name, setName] = useState(tool?.name ?? '');
  const [key, setKey] = useState<string | null>(tool?.key ?? null);
  const [environment, setEnvironment] = useState<ToolDetails['environment']>(tool?.environment ?? 'production');
  const [owners, setOwners] = useState((tool?.owners ?? []).join('\n'));
  const [settings, setSettings] = useState<Typed>(() => typedOf(fields, tool?.settings ?? {}));
  const [secrets, setSecrets] = useState<Readonly<Record<string, string>>>({});
  const [isInside, setInside] = useState(tool?.allowPrivateAddresses ?? false);
  const [wantsTwo, setWantsTwo] = useState(tool?.requiresSecondPerson ?? false);
  const [unreadable, setUnreadable] = useState<string | null>(null);
  const sending = useMutation({
    mutationFn: send,
    onSuccess: (sent) => {
      void queryClient.invalidateQueries({ queryKey: ['tool'] });
      onDone(sent);
    },
  });

  function submit(): void {
    const read = settingsOf(fields, settings);
    setUnreadable('unreadable' in read ? read.unreadable : null);
    if ('unreadable' in read || sending.isPending) return;
    sending.mutate({
      name: name.trim(),
      key: key ?? keyFrom(name),
      environment,
      owners: owners.split(/[\s,;]+/).filter(Boolean),
      settings: read.settings,
      secrets: Object.fromEntries(Object.entries(secrets).filter(([, secret]) => secret !== '')),
      allowPrivateAddresses: isInside,
      requiresSecondPerson: wantsTwo,
    });
  }

  return (
    <form
      className="stack form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <TextInput
        label={text.tools.called}
        required
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {!tool && (
        <>
          <TextInput
            label={text.tools.key}
            description={text.tools.keyMeans}
            required
            value={key ?? keyFrom(name)}
            onChange={(event) => setKey(event.currentTarget.value)}
            spellCheck={false}
          />
          <NativeSelect
            label={text.tools.environmentOf}
            value={environment}
            onChange={(event) => setEnvironment(event.currentTarget.value === 'test' ? 'test' : 'production')}
            data={(['production', 'test'] as const).map((value) => ({ value, label: text.tools.environment[value] }))}
          />
        </>
      )}
      <Textarea
        label={text.tools.owners}
        description={text.tools.ownersMeans}
        required
        value={owners}
        onChange={(event) => setOwners(event.currentTarget.value)}
        rows={2}
        spellCheck={false}
      />
      {fields.length > 0 && (
        <Section title={connector.title}>
          <div className="stack">
            <SettingsForm fields={fields} typed={settings} onType={setSettings} />
          </div>
        </Section>
      )}
      {Object.keys(connector.secrets).length > 0 && (
        <Section title={text.tools.secrets}>
          <div className="stack">
            {Object.entries(connector.secrets).map(([secret, sentence]) => (
              <PasswordInput
                key={secret}
                label={secret}
                description={tool?.secrets.includes(secret) ? text.tools.secretKept(sentence) : sentence}
                required={!tool}
                value={secrets[secret] ?? ''}
                onChange={(event) => setSecrets({ ...secrets, [secret]: event.currentTarget.value })}
                autoComplete="off"
              />
            ))}
          </div>
        </Section>
      )}
      <Checkbox
        label={text.tools.inside}
        description={text.tools.insideMeans}
        checked={isInside}
        onChange={(event) => setInside(event.currentTarget.checked)}
      />
      {connector.kind === 'human' && (
        <Checkbox
          label={text.tools.wantsTwo}
          description={text.tools.wantsTwoMeans}
          checked={wantsTwo}
          onChange={(event) => setWantsTwo(event.currentTarget.checked)}
        />
      )}
      {unreadable !== null && (
        <p role="alert" className="notice notice-bad">
          {text.tools.unreadable(unreadable)}
        </p>
      )}
      {sending.error && <ProblemNotice error={sending.error} />}
      <div className="row row-end">
        <Button type="submit" loading={sending.isPending}>
          {verb}
        </Button>
      </div>
    </form>
  );
}
