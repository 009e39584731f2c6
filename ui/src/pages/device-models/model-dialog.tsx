import { useState, type ReactNode } from 'react';
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answerOf, api } from '../../api/client.js';
import { sitesQuery } from '../../api/device-queries.js';
import type { DeviceModel } from '../../api/types.js';
import { ActDialog } from '../../parts/act-dialog.js';
import { useMay } from '../../shell/caller.js';
import { text } from '../../text/text.js';

interface Props {
  /** Left out: a new one. */
  model?: DeviceModel;
  onClose: () => void;
}

/** As it is typed; an empty field says nothing. */
interface Typed {
  name: string;
  manufacturer: string;
  lifetimeMonths: string;
  warrantyMonths: string;
  replacementLeadDays: string;
  standard: boolean;
  /** By site. */
  minimums: Readonly<Record<string, string>>;
}

const NUMBERS = ['lifetimeMonths', 'warrantyMonths', 'replacementLeadDays'] as const;

/** A model as somebody describes it, anew or for the first time. */
export function ModelDialog({ model, onClose }: Props): ReactNode {
  const mayReadSites = useMay()('people:read');
  const { data: sites } = useQuery({ ...sitesQuery, enabled: mayReadSites });
  const [typed, setTyped] = useState(() => typedOf(model));
  const type = (part: Partial<Typed>): void => setTyped((before) => ({ ...before, ...part }));
  const verb = model ? text.models.save : text.models.addVerb;
  return (
    <ActDialog
      title={model ? text.devices.actOn(text.models.changeVerb, model.name) : text.models.addTitle}
      verb={verb}
      isIncomplete={typed.name.trim() === '' || typed.manufacturer.trim() === ''}
      act={() => save(model, typed)}
      onDone={onClose}
      onClose={onClose}
    >
      <TextInput
        label={text.models.name}
        value={typed.name}
        onChange={({ currentTarget }) => type({ name: currentTarget.value })}
        required
        data-autofocus
      />
      <TextInput
        label={text.models.manufacturer}
        value={typed.manufacturer}
        onChange={({ currentTarget }) => type({ manufacturer: currentTarget.value })}
        required
      />
      <label className="check">
        <input
          type="checkbox"
          checked={typed.standard}
          onChange={({ currentTarget }) => type({ standard: currentTarget.checked })}
        />
        <span>
          {text.models.isStandard}
          <span className="dim small"> {text.models.standardMeans}</span>
        </span>
      </label>
      {NUMBERS.map((name) => (
        <NumberInput
          key={name}
          label={text.models.number[name]}
          value={typed[name]}
          onChange={(value) => type({ [name]: value })}
        />
      ))}
      {sites && sites.items.length > 0 && (
        <fieldset className="scopes">
          <legend>{text.models.minimumsMean}</legend>
          {sites.items.map(({ id, name }) => (
            <NumberInput
              key={id}
              label={name}
              value={typed.minimums[id] ?? ''}
              onChange={(value) => type({ minimums: { ...typed.minimums, [id]: value } })}
            />
          ))}
        </fieldset>
      )}
    </ActDialog>
  );
}

interface NumberProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
}

function NumberInput({ label, value, onChange }: NumberProps): ReactNode {
  return (
    <TextInput
      type="number"
      inputMode="numeric"
      min={0}
      label={label}
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    />
  );
}

function typedOf(model: DeviceModel | undefined): Typed {
  const shown = (number: number | null | undefined): string => (number == null ? '' : String(number));
  return {
    name: model?.name ?? '',
    manufacturer: model?.manufacturer ?? '',
    lifetimeMonths: shown(model?.lifetimeMonths),
    warrantyMonths: shown(model?.warrantyMonths),
    replacementLeadDays: shown(model?.replacementLeadDays),
    standard: model?.standard ?? true,
    minimums: Object.fromEntries((model?.minimums ?? []).map(({ siteId, minimum }) => [siteId, String(minimum)])),
  };
}

function save(model: DeviceModel | undefined, typed: Typed): Promise<DeviceModel> {
  const numberIn = (written: string): number | null => (written.trim() === '' ? null : Number(written));
  const body = {
    name: typed.name.trim(),
    manufacturer: typed.manufacturer.trim(),
    lifetimeMonths: numberIn(typed.lifetimeMonths),
    warrantyMonths: numberIn(typed.warrantyMonths),
    replacementLeadDays: numberIn(typed.replacementLeadDays),
    standard: typed.standard,
    minimums: Object.entries(typed.minimums).flatMap(([siteId, written]) => {
      const minimum = numberIn(written) ?? 0;
      return minimum === 0 ? [] : [{ siteId, minimum }];
    }),
  };
  if (!model) return answerOf(api.POST('/v1/device-models', { body }));
  const params = { path: { id: model.id }, header: { 'If-Match': `"${model.version}"` } };
  return answerOf(api.PATCH('/v1/device-models/{id}', { params, body }));
}
