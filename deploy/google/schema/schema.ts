/** As `terraform providers schema -json` writes it. https://developer.hashicorp.com/terraform/cli/commands/providers/schema */
export type Schema = { version: number; block: Block };
export type Block = { attributes?: Record<string, Attribute>; block_types?: Record<string, NestedBlock> };
export type Attribute = {
  type: Type;
  required?: true;
  optional?: true;
  computed?: true;
  sensitive?: true;
  /** Given to the provider, and never kept. */
  write_only?: true;
};
export type Type =
  | 'string'
  | 'number'
  | 'bool'
  | 'dynamic'
  | ['list' | 'set' | 'map', Type]
  | ['object', Record<string, Type>];
export type NestedBlock = {
  nesting_mode: 'single' | 'list' | 'set';
  block: Block;
  min_items?: number;
  max_items?: number;
};

/** What of it is kept here. */
export type ProviderSchema = {
  /** Where it was read. */
  source: string;
  /** Of the provider. */
  version: string;
  provider: Schema;
  resource: Record<string, Schema>;
  data: Record<string, Schema>;
};
