import { Optional, objectRule } from './validation/rule.js';
import { IsLabel, IsName, IsOneOf, IsPath, IsUrl, Together } from './validation/rules.js';

@Together<ImageLayer>('digestAlgorithm', 'digestValue')
@objectRule<ImageLayer>('exclusiveNeedsDigest', ({ layerType, digestAlgorithm, digestValue }) =>
  layerType === 'EXCLUSIVE' && digestAlgorithm === undefined && digestValue === undefined
    ? '.digestAlgorithm is missing; an EXCLUSIVE layer needs digestAlgorithm and digestValue'
    : undefined,
)
export class ImageLayer {
  @Optional()
  @IsLabel()
  name?: string;

  @IsUrl()
  url: string;

  @IsPath()
  destinationPath: string;

  @IsOneOf(['SHARED', 'EXCLUSIVE'])
  layerType: 'SHARED' | 'EXCLUSIVE';

  @IsOneOf(['TGZ', 'TAR', 'ZIP'])
  mediaType: 'TGZ' | 'TAR' | 'ZIP';

  /** SHA512 is deprecated by Diego. */
  @Optional()
  @IsOneOf(['SHA256', 'SHA512'])
  digestAlgorithm?: 'SHA256' | 'SHA512';

  @Optional()
  @IsName()
  digestValue?: string;
}
