import { describeMutatedFiles } from './mutated-files.js';

describeMutatedFiles(Array.from({ length: 500 }, (_, index) => index + 1));
