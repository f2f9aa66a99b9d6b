"""Talks to a running gateway through the OpenAI clients of LangChain and LlamaIndex; prints what they read as JSON.

Usage: python3 python-clients.py BASE_URL EMBEDDING_MODEL QUESTION
"""

import json
import sys

from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

base_url, embedding_model, question = sys.argv[1:]
texts = [question, "The buoy of Alvöra is red."]


def langchain():
    chat = ChatOpenAI(model="ragmesh", base_url=base_url, api_key="none", max_retries=0, stream_usage=True)
    answer = chat.invoke([("system", "Be brief."), ("user", question)])
    chunks = list(chat.stream(question))
    embeddings = OpenAIEmbeddings(
        model=embedding_model,
        base_url=base_url,
        api_key="none",
        check_embedding_ctx_length=False,
    )
    return {
        "answer": answer.content,
        "tokens": answer.usage_metadata["total_tokens"],
        "finish_reason": answer.response_metadata["finish_reason"],
        "streamed": "".join(chunk.content for chunk in chunks),
        "streamed_tokens": sum((chunk.usage_metadata or {}).get("total_tokens", 0) for chunk in chunks),
        "dimensions": [len(vector) for vector in embeddings.embed_documents(texts)],
    }


def llama_index():
    llm = OpenAILike(model="ragmesh", api_base=base_url, api_key="none", is_chat_model=True, max_retries=0)
    messages = [ChatMessage(role="user", content=question)]
    embedding = OpenAILikeEmbedding(model_name=embedding_model, api_base=base_url, api_key="none")
    return {
        "answer": llm.chat(messages).message.content,
        "completed": llm.complete(question).text,
        "streamed": "".join(chunk.delta or "" for chunk in llm.stream_chat(messages)),
        "dimensions": [len(vector) for vector in embedding.get_text_embedding_batch(texts)],
    }


print(json.dumps({"langchain": langchain(), "llama_index": llama_index()}))
