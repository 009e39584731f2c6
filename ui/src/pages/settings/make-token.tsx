import { useState, type ReactNode } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { callerQuery } from '../../api/queries.js';
import { servicesQuery } from '../../api/settings-queries.js';
import type { Person, Scope } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { ChoosePerson } from '../../parts/choose-person.js';
import { text } from '../../text/text.js';
import { serverNow } from '../../time/server-clock.js';

const words = text.settings.tokens;
const DAYS = [30, 90, 180, 365] as const;
const USUAL = '90';
const DAY = 86_400_000;

interface Props {
  /** With the token itself, which can't be read again. */
  onDone: (token: string) => void;
  onClose: () => void;
}

/** A token for a service, or for somebody: what it may do is chosen among what its maker may do everywhere. */
export function MakeToken({ onDone, onClose }: Props): ReactNode {
  const { data: caller } = useQuery(callerQuery);
  const { data: services } = useQuery(servicesQuery);
  const [name, setName] = useState('');
  const [serviceId, setServiceId] = useState('');
  const [person, setPerson] = useState<Person | null>(null);
  const [days, setDays] = useState(USUAL);
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const choose = (scope: Scope, isChosen: boolean): void =>
    setScopes((before) => (isChosen ? [...before, scope] : before.filter((one) => one !== scope)));
  const make = async (): Promise<string> => {
    const whose = serviceId === '' ? { ownerPersonId: person?.id ?? '' } : { servicePrincipalId: serviceId };
    const expiresAt = new Date(serverNow() + Number(days) * DAY).toISOString();
    const body = { name: name.trim(), scopes: [...scopes], expiresAt, ...whose };
    return (await answerOf(api.POST('/v1/tokens', { body }))).token;
  };
  return (
    <ActDialog
      title={words.makeTitle}
      verb={words.makeVerb}
      isIncomplete={name.trim() === '' || (serviceId === '' && person === null)}
      act={make}
      onDone={onDone}
      onClose={onClose}
    >
      <TextInput
        label={words.name}
        description={words.nameMeans}
        value={name}
        onChange={({ currentTarget }) => setName(currentTarget.value)}
        required
        maxLength={200}
        data-autofocus
      />
      <NativeSelect
        label={words.forWhom}
        value={serviceId}
        onChange={({ currentTarget }) => setServiceId(currentTarget.value)}
        data={[
          { value: '', label: words.forPerson },
          ...(services?.items ?? []).map((one) => ({ value: one.id, label: words.forService(one.name) })),
        ]}
      />
      {serviceId === '' && <ChoosePerson label={words.owner} chosen={person} onChoose={setPerson} />}
      <NativeSelect
        label={words.until}
        value={days}
        onChange={({ currentTarget }) => setDays(currentTarget.value)}
        data={DAYS.map((count) => ({ value: String(count), label: words.days(count) }))}
      />
      <fieldset className="scopes">
        <legend>{words.mayMeans}</legend>
        <div className="choices">
          {(caller?.scopes ?? [])
            .filter(({ everywhere }) => everywhere)
            .map(({ scope }) => (
              <label key={scope} className="check">
                <input
                  type="checkbox"
                  checked={scopes.includes(scope)}
                  onChange={({ currentTarget }) => choose(scope, currentTarget.checked)}
                />
                <span>{scope}</span>
              </label>
            ))}
        </div>
      </fieldset>
    </ActDialog>
  );
}
