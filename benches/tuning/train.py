#!/usr/bin/env python3
"""Trains a LoRA adapter on rows.py's rows, with transformers and peft.

    pip install torch transformers peft datasets
    python3 train.py rows.jsonl --base Qwen/Qwen2.5-Coder-0.5B-Instruct --out house-style

--base is the model that you use in tandem, in its original form (not GGUF). The loss counts on the completion alone.
"""

import argparse

import torch
from datasets import load_dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
parser.add_argument("rows")
parser.add_argument("--base", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--rank", type=int, default=16)
parser.add_argument("--tokens", type=int, default=1536, help="longer rows are left out")
parser.add_argument("--epochs", type=float, default=1)
arguments = parser.parse_args()

tokenizer = AutoTokenizer.from_pretrained(arguments.base)
model = AutoModelForCausalLM.from_pretrained(arguments.base, torch_dtype="auto")
# The attention and the feed-forward layers; not the table of tokens, which llama.cpp cannot change where the
# model's output shares it.
model = get_peft_model(
    model,
    LoraConfig(
        r=arguments.rank,
        lora_alpha=2 * arguments.rank,
        lora_dropout=0.05,
        task_type="CAUSAL_LM",
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ),
)
model.print_trainable_parameters()


def tokens(row):
    prompt = tokenizer(row["prompt"], add_special_tokens=False).input_ids
    completion = tokenizer(row["completion"], add_special_tokens=False).input_ids
    return {"input_ids": prompt + completion, "labels": [-100] * len(prompt) + completion}


def batch(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    pad = lambda row, key, filler: row[key] + [filler] * (longest - len(row[key]))
    return {
        "input_ids": torch.tensor([pad(row, "input_ids", tokenizer.eos_token_id) for row in rows]),
        "labels": torch.tensor([pad(row, "labels", -100) for row in rows]),
        "attention_mask": torch.tensor(
            [[1] * len(r["input_ids"]) + [0] * (longest - len(r["input_ids"])) for r in rows]
        ),
    }


data = load_dataset("json", data_files=arguments.rows, split="train")
data = data.map(tokens, remove_columns=data.column_names)
data = data.filter(lambda row: len(row["input_ids"]) <= arguments.tokens)
Trainer(
    model=model,
    args=TrainingArguments(
        output_dir=arguments.out,
        num_train_epochs=arguments.epochs,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=4,
        learning_rate=1e-4,
        warmup_ratio=0.03,
        lr_scheduler_type="cosine",
        logging_steps=10,
        save_strategy="no",
        report_to=[],
        bf16=torch.cuda.is_available(),
    ),
    train_dataset=data,
    data_collator=batch,
).train()
model.save_pretrained(arguments.out)
