/**
 * A minimal H.264 encoder: constrained baseline, every frame an IDR picture of I_PCM macroblocks, that is raw samples.
 * Big for its content, but small in code and playable everywhere. Source: ITU-T H.264, clause 7.3 and Annex A.
 */

/** A frame in YCbCr 4:2:0. Samples lie within 16..235, as I_PCM does not allow 0. */
export interface Frame {
  luma(x: number, y: number): number;
  cb: number;
  cr: number;
}

const MACROBLOCK = 16;
const I_PCM = 25;
const I_SLICE = 7;

/** Writes bits, most significant first. */
class BitWriter {
  readonly #bytes: number[] = [];
  #pending = 0;
  #count = 0;

  bits(value: number, length: number): void {
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      this.#pending = (this.#pending << 1) | ((value >>> bit) & 1);
      this.#count += 1;
      if (this.#count === 8) this.#flush();
    }
  }

  /** Unsigned Exp-Golomb code. */
  ue(value: number): void {
    const length = Math.floor(Math.log2(value + 1));
    this.bits(0, length);
    this.bits(value + 1, length + 1);
  }

  alignWithZeros(): void {
    while (this.#count !== 0) this.bits(0, 1);
  }

  byte(value: number): void {
    this.#bytes.push(value);
  }

  /** The stop bit and the bytes. */
  finish(): Uint8Array {
    this.bits(1, 1);
    this.alignWithZeros();
    return Uint8Array.from(this.#bytes);
  }

  #flush(): void {
    this.#bytes.push(this.#pending);
    this.#pending = 0;
    this.#count = 0;
  }
}

/** Sequence parameter set for a picture size in macroblocks. */
export function sequenceParameterSet(widthInMacroblocks: number, heightInMacroblocks: number): Uint8Array {
  const writer = new BitWriter();
  writer.bits(66, 8); // profile_idc: baseline
  writer.bits(0b11000000, 8); // constraint_set0 and 1: constrained baseline
  writer.bits(40, 8); // level_idc 4.0: raw samples need its bit rate
  writer.ue(0); // seq_parameter_set_id
  writer.ue(0); // log2_max_frame_num_minus4
  writer.ue(2); // pic_order_cnt_type: output in decoding order
  writer.ue(0); // max_num_ref_frames
  writer.bits(0, 1); // gaps_in_frame_num_value_allowed_flag
  writer.ue(widthInMacroblocks - 1);
  writer.ue(heightInMacroblocks - 1);
  writer.bits(1, 1); // frame_mbs_only_flag
  writer.bits(1, 1); // direct_8x8_inference_flag
  writer.bits(0, 1); // frame_cropping_flag
  writer.bits(0, 1); // vui_parameters_present_flag
  return nalUnit(0x67, writer.finish());
}

/** Picture parameter set: CAVLC, no weighting, deblocking under the slice's control. */
export function pictureParameterSet(): Uint8Array {
  const writer = new BitWriter();
  writer.ue(0); // pic_parameter_set_id
  writer.ue(0); // seq_parameter_set_id
  writer.bits(0, 2); // entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
  writer.ue(0); // num_slice_groups_minus1
  writer.ue(0); // num_ref_idx_l0_default_active_minus1
  writer.ue(0); // num_ref_idx_l1_default_active_minus1
  writer.bits(0, 3); // weighted_pred_flag, weighted_bipred_idc
  writer.ue(0); // pic_init_qp_minus26
  writer.ue(0); // pic_init_qs_minus26
  writer.ue(0); // chroma_qp_index_offset
  writer.bits(1, 1); // deblocking_filter_control_present_flag
  writer.bits(0, 2); // constrained_intra_pred_flag, redundant_pic_cnt_present_flag
  return nalUnit(0x68, writer.finish());
}

/** One IDR picture; `index` only keeps neighbouring IDR pictures apart. */
export function idrPicture(
  frame: Frame,
  widthInMacroblocks: number,
  heightInMacroblocks: number,
  index: number,
): Uint8Array {
  const writer = new BitWriter();
  writer.ue(0); // first_mb_in_slice
  writer.ue(I_SLICE);
  writer.ue(0); // pic_parameter_set_id
  writer.bits(0, 4); // frame_num
  writer.ue(index % 2); // idr_pic_id
  writer.bits(0, 2); // no_output_of_prior_pics_flag, long_term_reference_flag
  writer.ue(0); // slice_qp_delta
  writer.ue(1); // disable_deblocking_filter_idc
  for (let row = 0; row < heightInMacroblocks; row += 1) {
    for (let column = 0; column < widthInMacroblocks; column += 1) writeMacroblock(writer, frame, column, row);
  }
  return nalUnit(0x65, writer.finish());
}

function writeMacroblock(writer: BitWriter, frame: Frame, column: number, row: number): void {
  writer.ue(I_PCM);
  writer.alignWithZeros();
  for (let y = 0; y < MACROBLOCK; y += 1) {
    for (let x = 0; x < MACROBLOCK; x += 1) writer.byte(frame.luma(column * MACROBLOCK + x, row * MACROBLOCK + y));
  }
  for (const chroma of [frame.cb, frame.cr]) {
    for (let sample = 0; sample < 64; sample += 1) writer.byte(chroma);
  }
}

/** Header byte and payload, with emulation prevention (clause 7.4.1.1). */
function nalUnit(header: number, payload: Uint8Array): Uint8Array {
  const bytes = [header];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(bytes);
}
