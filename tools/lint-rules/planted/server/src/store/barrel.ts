// breaks: noBarrelFile
export { later } from '../db/later.ts';
