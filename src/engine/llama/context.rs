//! llama.cpp's context, from its C interface: evaluation that can be broken off, and a KV cache
//! in which each sequence has cells of its own.
//!
//! Of its own rather than in one unified pool, because a step in a pool looks at everybody's cells:
//! with 3,000 tokens of other documents beside 600 of its own, the 0.5B (Q4_0, 2 cores) takes 15.8
//! instead of 12.4 ms for a token. A fork then copies (24 MB, some ms) instead of sharing. And on a
//! CPU without flash attention, which is slower there for batches of 2 to 32 (16 tokens: 62 instead
//! of 86 ms) and otherwise the same.
//!
//! Ours rather than `llama_cpp_2`'s `LlamaContext`, which has no way to set the abort callback
//! (0.1.160). In: token batches. Out: logits. Refuses: batches larger than it was made for.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_sys_2 as sys;

use crate::engine::healing::Token;
use crate::engine::interrupt::Interrupt;
use crate::engine::transformer::Evaluated;

/// Tokens in a batch at most.
pub const BATCH: usize = 512;
/// Is this a build that can use a GPU?
pub const GPU: bool = cfg!(any(feature = "cuda", feature = "metal", feature = "vulkan"));
/// llama.cpp's answer to a batch that was broken off.
const ABORTED: i32 = 2;

/// What a context is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Tokens that a sequence may hold.
    pub tokens: u32,
    /// Sequences.
    pub sequences: u32,
    /// Threads.
    pub threads: u32,
}

/// A context on a model.
pub struct Context<'m> {
    raw: NonNull<sys::llama_context>,
    batch: sys::llama_batch,
    /// The first row of the last batch whose logits can be read, and how many there are.
    rows: (usize, usize),
    words: usize,
    /// Read by llama.cpp's threads, so it must outlive the context.
    _interrupt: Arc<Interrupt>,
    _model: PhantomData<&'m LlamaModel>,
}

/// Called by llama.cpp between two operations.
unsafe extern "C" fn is_due(interrupt: *mut c_void) -> bool {
    // SAFETY: the pointer is the `Arc`'s that the context holds for as long as it lives.
    let interrupt = unsafe { &*interrupt.cast::<Interrupt>() };
    interrupt.is_due()
}

impl<'m> Context<'m> {
    /// A context with an empty cache; `None` when there is no memory for it.
    pub fn new(model: &'m LlamaModel, shape: Shape, interrupt: Arc<Interrupt>) -> Option<Self> {
        // SAFETY: `LlamaModel` is `repr(transparent)` over a non-null pointer to the model.
        let model: *mut sys::llama_model = unsafe { *std::ptr::from_ref(model).cast() };
        // SAFETY: returns a plain value.
        let mut params = unsafe { sys::llama_context_default_params() };
        params.n_ctx = shape.tokens.saturating_mul(shape.sequences);
        params.n_seq_max = shape.sequences;
        params.n_batch = BATCH as u32;
        params.n_ubatch = BATCH as u32;
        params.n_threads = shape.threads as i32;
        params.n_threads_batch = shape.threads as i32;
        params.kv_unified = false;
        if !GPU {
            params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_DISABLED;
        }
        params.abort_callback = Some(is_due);
        params.abort_callback_data = Arc::as_ptr(&interrupt).cast_mut().cast();
        // SAFETY: the model lives for 'm, the interrupt as long as the context.
        let raw = NonNull::new(unsafe { sys::llama_init_from_model(model, params) })?;
        // SAFETY: both pointers are of a living model.
        let words = unsafe { sys::llama_vocab_n_tokens(sys::llama_model_get_vocab(model)) };
        Some(Context {
            raw,
            // SAFETY: allocates; freed in `drop`.
            batch: unsafe { sys::llama_batch_init(BATCH as i32, 0, 1) },
            rows: (0, 0),
            words: words.max(0) as usize,
            _interrupt: interrupt,
            _model: PhantomData,
        })
    }

    /// Bytes of keys and values that one token takes.
    pub fn bytes_per_token(model: &LlamaModel) -> u64 {
        // SAFETY: as in `new`; the calls read plain numbers of a living model.
        unsafe {
            let model: *const sys::llama_model = *std::ptr::from_ref(model).cast();
            let heads = sys::llama_model_n_head(model).max(1);
            let width = sys::llama_model_n_embd(model) / heads * sys::llama_model_n_head_kv(model);
            // Keys and values, two bytes each.
            4 * width.max(1) as u64 * sys::llama_model_n_layer(model).max(1) as u64
        }
    }

    /// Computes with these adapters from now on, each with its scale, and no others.
    ///
    /// # Errors
    /// When llama.cpp refuses.
    pub fn wear(&mut self, adapters: &[(*mut sys::llama_adapter_lora, f32)]) -> Result<(), String> {
        let (mut adapters, mut scales): (Vec<_>, Vec<_>) = adapters.iter().copied().unzip();
        // SAFETY: a living context; both lists have that many entries, of adapters of its model.
        let code = unsafe {
            sys::llama_set_adapters_lora(
                self.raw.as_ptr(),
                adapters.as_mut_ptr(),
                adapters.len(),
                scales.as_mut_ptr(),
            )
        };
        if code == 0 { Ok(()) } else { Err(format!("llama.cpp refuses adapters (code {code})")) }
    }

    /// As [`Transformer::evaluate`](crate::engine::transformer::Transformer::evaluate).
    pub fn evaluate(
        &mut self,
        sequence: usize,
        position: usize,
        tokens: &[Token],
        rows: usize,
    ) -> Result<Evaluated, String> {
        if tokens.is_empty() || tokens.len() > BATCH {
            return Err(format!("a batch of {} tokens", tokens.len()));
        }
        let first = tokens.len().saturating_sub(rows);
        for (i, &token) in tokens.iter().enumerate() {
            // SAFETY: the batch was allocated for BATCH tokens of one sequence each.
            unsafe {
                *self.batch.token.add(i) = token;
                *self.batch.pos.add(i) = (position + i) as i32;
                *self.batch.n_seq_id.add(i) = 1;
                **self.batch.seq_id.add(i) = sequence as i32;
                *self.batch.logits.add(i) = i8::from(i >= first);
            }
        }
        self.batch.n_tokens = tokens.len() as i32;
        self.rows = (first, tokens.len() - first);
        // SAFETY: a living context and a filled batch.
        match unsafe { sys::llama_decode(self.raw.as_ptr(), self.batch) } {
            0 => Ok(Evaluated::All),
            ABORTED => {
                self.rows = (0, 0);
                self.truncate(sequence, position);
                Ok(Evaluated::Nothing)
            }
            code => Err(format!("llama.cpp cannot decode (code {code})")),
        }
    }

    /// The logits after row `row` of the last evaluation; empty when there is no such row.
    pub fn logits(&self, row: usize) -> &[f32] {
        let (first, count) = self.rows;
        if row >= count {
            return &[];
        }
        // SAFETY: the row was asked for in the last batch, and holds one number a word.
        unsafe {
            let logits = sys::llama_get_logits_ith(self.raw.as_ptr(), (first + row) as i32);
            if logits.is_null() { &[] } else { std::slice::from_raw_parts(logits, self.words) }
        }
    }

    /// Forgets a sequence from position `length` on.
    pub fn truncate(&mut self, sequence: usize, length: usize) {
        // SAFETY: a living context; a removal to the end never fails in this kind of cache.
        unsafe { sys::llama_memory_seq_rm(self.memory(), sequence as i32, length as i32, -1) };
    }

    /// Makes `to` the first `length` tokens of `from`.
    pub fn fork(&mut self, from: usize, to: usize, length: usize) {
        self.truncate(to, 0);
        if length > 0 {
            // SAFETY: a living context; both sequences are within its number, and between cells of
            // their own only whole sequences can be copied.
            unsafe { sys::llama_memory_seq_cp(self.memory(), from as i32, to as i32, -1, -1) };
            self.truncate(to, length);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        // SAFETY: a living context.
        unsafe { sys::llama_memory_clear(self.memory(), false) };
    }

    /// A sequence's keys and values.
    pub fn save(&mut self, sequence: usize) -> Result<Vec<u8>, String> {
        let (context, sequence) = (self.raw.as_ptr(), sequence as i32);
        // SAFETY: the buffer has the size that was asked for in the same state.
        unsafe {
            let size = sys::llama_state_seq_get_size_ext(context, sequence, 0);
            let mut state = vec![0; size];
            let written =
                sys::llama_state_seq_get_data_ext(context, state.as_mut_ptr(), size, sequence, 0);
            if written == size { Ok(state) } else { Err("llama.cpp gave another size".to_owned()) }
        }
    }

    /// Puts saved keys and values into a sequence. The caller has checked that the bytes are those
    /// that [`save`](Self::save) gave in a build and for a model like this one.
    pub fn load(&mut self, sequence: usize, state: &[u8]) -> Result<(), String> {
        // SAFETY: llama.cpp reads no more than the length, and checks layers, types and sizes.
        let read = unsafe {
            let (context, sequence) = (self.raw.as_ptr(), sequence as i32);
            sys::llama_state_seq_set_data_ext(context, state.as_ptr(), state.len(), sequence, 0)
        };
        if read == state.len() { Ok(()) } else { Err("llama.cpp does not accept it".to_owned()) }
    }

    fn memory(&self) -> sys::llama_memory_t {
        // SAFETY: a living context.
        unsafe { sys::llama_get_memory(self.raw.as_ptr()) }
    }
}

impl Drop for Context<'_> {
    fn drop(&mut self) {
        // SAFETY: both are ours and not used afterwards.
        unsafe {
            sys::llama_batch_free(self.batch);
            sys::llama_free(self.raw.as_ptr());
        }
    }
}
