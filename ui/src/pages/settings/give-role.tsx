import { useState, type ReactNode } from 'react';
import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { toolsQuery } from '../../api/queries.js';
import { rolesQuery } from '../../api/settings-queries.js';
import type { AskedApproval, RoleDefinition } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay, useMayEverywhere } from '../../shell/caller.js';
import { text } from '../../text/text.js';
import type { Principals } from './principals.js';

const words = text.settings.roles;

interface Props {
  principals: Principals;
  onDone: (edit: { approval: AskedApproval | null }) => void;
  onClose: () => void;
}

/** Gives a role to somebody who signs in, or to a token; everywhere, or within limits that all count together. */
export function GiveRole({ principals: { people, tokens }, onDone, onClose }: Props): ReactNode {
  const mayEverywhere = useMayEverywhere();
  const { data: roles } = useQuery(rolesQuery);
  const { data: tools } = useQuery({ ...toolsQuery, enabled: useMay()('tools:read') });
  const [principal, setPrincipal] = useState('');
  const [role, setRole] = useState<RoleDefinition['role'] | ''>('');
  const [department, setDepartment] = useState('');
  const [location, setLocation] = useState('');
  const [toolId, setToolId] = useState('');
  // Nobody gives away more than they hold.
  const givable = (roles?.items ?? []).filter(({ scopes }) => scopes.every(mayEverywhere));
  const chosen = givable.find((one) => one.role === role);
  const isNarrowable = role !== 'owner';
  const told = (value: string): string | null => (isNarrowable && value.trim() !== '' ? value.trim() : null);
  return (
    <ActDialog
      title={words.giveTitle}
      verb={words.giveVerb}
      ask={{ label: text.settings.why, description: text.settings.whyMeans, required: true }}
      isIncomplete={principal === '' || chosen === undefined}
      act={async (reason) => {
        if (!chosen) return { approval: null };
        const narrowing = { department: told(department), location: told(location), toolId: told(toolId) };
        const body = { principal, role: chosen.role, ...narrowing, reason };
        return answerOf(api.POST('/v1/role-assignments', { body }));
      }}
      onDone={onDone}
      onClose={onClose}
    >
      <NativeSelect
        label={words.toWhom}
        description={people.length === 0 ? words.nobodyAdmitted : undefined}
        value={principal}
        onChange={({ currentTarget }) => setPrincipal(currentTarget.value)}
        data={[
          { value: '', label: text.tools.chooseKind },
          { group: words.people, items: people.map((one) => ({ value: one.principal, label: one.name })) },
          { group: text.settings.tokens.title, items: tokens.map(({ id, name }) => ({ value: id, label: name })) },
        ]}
        required
        data-autofocus
      />
      <NativeSelect
        label={words.role}
        description={chosen?.purpose ?? words.onlyYours}
        value={role}
        onChange={({ currentTarget }) => setRole(givable.find((one) => one.role === currentTarget.value)?.role ?? '')}
        data={[{ value: '', label: text.tools.chooseKind }, ...givable.map((one) => one.role)]}
        required
      />
      {isNarrowable && (
        <fieldset className="scopes">
          <legend>{words.narrow}</legend>
          <TextInput
            label={text.people.department}
            value={department}
            onChange={({ currentTarget }) => setDepartment(currentTarget.value)}
            maxLength={200}
          />
          <TextInput
            label={words.location}
            value={location}
            onChange={({ currentTarget }) => setLocation(currentTarget.value)}
            maxLength={200}
          />
          {tools && (
            <NativeSelect
              label={text.accounts.tool}
              value={toolId}
              onChange={({ currentTarget }) => setToolId(currentTarget.value)}
              data={[
                { value: '', label: words.anyTool },
                ...tools.items.map(({ id, name }) => ({ value: id, label: name })),
              ]}
            />
          )}
        </fieldset>
      )}
      <p className="dim">{words.twoPeople}</p>
    </ActDialog>
  );
}
