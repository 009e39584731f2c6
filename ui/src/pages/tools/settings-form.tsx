import type { ReactNode } from 'react';
import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { text } from '../../text/text.js';
import type { SettingsField, Typed } from './settings-fields.js';

interface Props {
  fields: readonly SettingsField[];
  typed: Typed;
  onType: (typed: Typed) => void;
}

/** A connector's settings, as its own schema tells them. */
export function SettingsForm({ fields, typed, onType }: Props): ReactNode {
  return fields.map((field) => (
    <Setting
      key={field.name}
      field={field}
      value={typed[field.name] ?? ''}
      onType={(value) => onType({ ...typed, [field.name]: value })}
    />
  ));
}

interface SettingProps {
  field: SettingsField;
  value: string | boolean;
  onType: (value: string | boolean) => void;
}

function Setting({ field, value, onType }: SettingProps): ReactNode {
  const { name, label = name, kind, isRequired, description, choices, otherwise } = field;
  if (typeof value === 'boolean') {
    return (
      <Checkbox
        label={label}
        description={description}
        checked={value}
        onChange={(event) => onType(event.currentTarget.checked)}
      />
    );
  }
  const said = {
    label,
    description: [description, otherwise && text.tools.otherwise(otherwise)].filter(Boolean).join('. '),
    required: isRequired,
    value,
  };
  switch (kind) {
    case 'choice':
      return (
        <NativeSelect
          {...said}
          onChange={(event) => onType(event.currentTarget.value)}
          data={[{ value: '', label: text.tools.asUsual }, ...choices]}
        />
      );
    case 'text':
    case 'list':
    case 'json':
      return (
        <Textarea
          {...said}
          description={[said.description, text.tools.typedAs[kind]].filter(Boolean).join(' ')}
          onChange={(event) => onType(event.currentTarget.value)}
          rows={kind === 'list' ? 3 : 5}
          spellCheck={false}
        />
      );
    default:
      return (
        <TextInput
          {...said}
          inputMode={kind === 'number' ? 'decimal' : 'text'}
          onChange={(event) => onType(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
        />
      );
  }
}
