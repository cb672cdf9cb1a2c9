import { register } from '../shared/trigger.ts';
import { functions } from './index.ts';

// What the functions framework loads: `functions-framework --source=functions/serve.ts --target=file-sync`.
register(functions);
