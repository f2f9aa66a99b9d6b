import { describeMutatedFiles } from './mutated-files.js';

describeMutatedFiles(Array.from({ length: 40 }, (_, index) => index + 1));
